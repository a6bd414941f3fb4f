import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runningProcesses } from '../../../platform/process-identity.ts'
import { startServices } from '../../../platform/services/services.ts'
import { openTestHome, type TestHome } from './home.ts'

let home: TestHome
let run: ChildProcess

beforeEach(async () => {
  home = await openTestHome()
  const env = {
    ...process.env,
    LAKEDUEL_HOME: home.folder,
    LAKEDUEL_DOCKER: 'never',
    LAKEDUEL_STORAGE: 'local',
  }
  const script = fileURLToPath(new URL('./killed-run.ts', import.meta.url))
  run = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  if (run.stdout === null) throw new Error('no stdout')
  expect(String((await once(run.stdout, 'data'))[0])).toMatch(/^port \d+/)
  expect(await home.leftovers()).not.toEqual([])
})
afterEach(() => home[Symbol.asyncDispose]())

/** The servers end a moment after the run, as nobody waits for them. */
async function untilNothingIsLeft(): Promise<void> {
  for (let tries = 0; tries < 100 && (await home.leftovers()).length > 0; tries += 1) await sleep(100)
  expect(await home.leftovers()).toEqual([])
}

it('an interrupted run has cleaned up by the time that it ends', async () => {
  run.kill('SIGINT')
  expect(await once(run, 'exit')).toEqual([0, null])
  expect(await home.leftovers()).toEqual([])
})

it('a second interrupt ends the run at once, and its servers end by themselves', async () => {
  run.kill('SIGINT')
  run.kill('SIGTERM')
  expect(await once(run, 'exit')).toEqual([130, null])
  await untilNothingIsLeft()
})

it('the servers of a killed run end by themselves', async () => {
  run.kill('SIGKILL')
  await untilNothingIsLeft()
})

it('the next run removes what is left when the servers could not be ended', async () => {
  const keeper = (await childrenOf(run.pid ?? 0)).find(({ command }) => command.includes('keeper'))
  process.kill(keeper?.pid ?? 0, 'SIGKILL')
  run.kill('SIGKILL')
  await once(run, 'exit')
  expect(await home.leftovers()).not.toEqual([])
  await using next = await startServices(
    await home.config({ LAKEDUEL_STORAGE: 'local', LAKEDUEL_POSTGRES: '' }),
    { runId: 'next' },
  )
  await next[Symbol.asyncDispose]()
  await untilNothingIsLeft()
})

async function childrenOf(
  parent: number,
): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const all = await runningProcesses()
  const isChild = await Promise.all(
    all.map(async ({ pid }) =>
      (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).includes(`) S ${parent} `),
    ),
  )
  return all.filter((_, index) => isChild[index])
}
