import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requireGo } from '../../../platform/setup/go.ts'
import { MINIO_PROGRAM } from '../../../platform/setup/minio.ts'
import { findNewestPython } from '../../../platform/setup/python.ts'

let folder = ''
let env: NodeJS.ProcessEnv = {}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-path-'))
  env = { PATH: folder, PYENV_ROOT: folder }
})
afterEach(() => rm(folder, { recursive: true }))

/** A program on the otherwise empty PATH that prints one line, as a tool of that version would. */
async function install(name: string, line: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\necho '${line}'\n`)
  await chmod(join(folder, name), 0o755)
}

function python(minor: number, extra: object = {}): string {
  const facts = { path: `/python3.${minor}`, version: `3.${minor}.1`, major: 3, minor }
  return JSON.stringify({ ...facts, canMakeVenv: true, takesCommonWheels: true, ...extra })
}

describe('without the tools that set-up needs', () => {
  it('says that there is no Python and how to get one', async () => {
    await expect(findNewestPython(env)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      remedy: expect.stringContaining('apt-get install python3'),
    })
  })

  it('names the Python that lacks venv, and the package that has it', async () => {
    await install('python3', python(12, { canMakeVenv: false }))
    await expect(findNewestPython(env)).rejects.toMatchObject({
      message: expect.stringContaining('3.12.1'),
      remedy: expect.stringContaining('python3.12-venv'),
    })
  })

  it('says that there is no Go, and names every way out', async () => {
    await expect(requireGo(MINIO_PROGRAM, env)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      remedy: expect.stringMatching(/Docker.*Go 1\.24.*LAKEDUEL_S3_ENDPOINT.*--storage local/),
    })
  })

  it('refuses a Go that is too old for MinIO', async () => {
    await install('go', 'go version go1.22.3 linux/amd64')
    await expect(requireGo(MINIO_PROGRAM, env)).rejects.toMatchObject({
      message: expect.stringContaining('go1.22.3'),
    })
  })
})

it('chooses the newest Python that takes the common wheels, older than an unknown one', async () => {
  await install('python3.10', python(10))
  await install('python3.12', python(12))
  await install('python3.13', python(13, { takesCommonWheels: false }))
  await install('python3', python(15))
  expect(await findNewestPython(env)).toMatchObject({ version: '3.12.1' })
})
