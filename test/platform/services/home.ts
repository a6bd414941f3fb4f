import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Config, loadConfig } from '../../../platform/config/load.ts'
import { lakeduelHome } from '../../../platform/home.ts'
import { runningProcesses } from '../../../platform/process-identity.ts'
import { ensureMinio } from '../../../platform/setup/setup.ts'

export interface TestHome extends AsyncDisposable {
  readonly folder: string
  config(env?: NodeJS.ProcessEnv): Promise<Config>
  /** What runs left below the home, and the servers whose data lies there. */
  leftovers(): Promise<readonly string[]>
}

/** A lakeduel home of the test's own, with the MinIO that set-up has built for this checkout. Docker stays out of it. */
export async function openTestHome(): Promise<TestHome> {
  const minio = await ensureMinio(lakeduelHome())
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-home-'))
  await mkdir(join(folder, 'bin'))
  await symlink(minio, join(folder, 'bin', basename(minio)))
  return {
    folder,
    config: (env = {}) =>
      loadConfig({ env: { LAKEDUEL_HOME: folder, LAKEDUEL_DOCKER: 'never', ...env }, cwd: folder }),
    leftovers: async () => {
      const files = await readdir(join(folder, 'run')).catch(() => [])
      const servers = (await runningProcesses()).filter(({ command }) => command.includes(`${folder}/run/`))
      return [...files, ...servers.map(({ command }) => command)]
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
