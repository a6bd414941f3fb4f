import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRunFolder, openSpillFolder, sweepStaleRuns } from '../../../platform/services/run-folders.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakeduel-runs-'))
})
afterEach(() => rm(home, { recursive: true }))

it('keeps the folder of a living run', async () => {
  await createRunFolder(home, 'alive')
  expect(await sweepStaleRuns(home)).toEqual([])
  expect(await readdir(join(home, 'run'))).toEqual(['alive'])
})

it('keeps the folder that a living process spills to, however old it is', async () => {
  await using spill = await openSpillFolder(home)
  await utimes(join(spill.path, '..'), 0, 0)
  expect(await sweepStaleRuns(home)).toEqual([])
  expect(await readdir(spill.path)).toEqual([])
})

it('removes the folder of a dead run and ends the server that it left running, and no other process', async () => {
  const folder = await createRunFolder(home, 'dead')
  await writeFile(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  const wait = ['-e', 'setTimeout(() => {}, 60_000)', `${folder}/data`]
  const server = spawn(process.execPath, wait, { argv0: 'postgres', stdio: 'ignore' })
  const bystander = spawn(process.execPath, wait, { argv0: 'tail', stdio: 'ignore' })
  await Promise.all([once(server, 'spawn'), once(bystander, 'spawn')])
  const ended = once(server, 'exit')
  expect(await sweepStaleRuns(home)).toEqual([folder])
  expect((await ended)[1]).toBe('SIGKILL')
  expect(bystander.exitCode).toBeNull()
  bystander.kill('SIGKILL')
  await once(bystander, 'exit')
})
