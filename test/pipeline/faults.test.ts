import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { FAULT_POINTS, parseFault } from '../../pipeline/faults.ts'

const FAULTS = fileURLToPath(new URL('../../pipeline/faults.ts', import.meta.url))

/** A process that passes `before-apply` three times, and `during-drain` in between. */
const PASSES = `
  const { faultPoint } = await import(${JSON.stringify(FAULTS)})
  for (let pass = 1; pass <= 3; pass += 1) {
    await faultPoint('during-drain')
    const startedAt = performance.now()
    await faultPoint('before-apply').catch((error) => console.log(error.code))
    console.log(performance.now() - startedAt > 250 ? 'late' : 'on time')
  }`

async function pass(fault: string) {
  return execa(process.execPath, ['--input-type=module', '-e', PASSES], {
    env: { LAKEDUEL_FAULT: fault },
    reject: false,
    lines: true,
  })
}

test('nothing happens where nothing is armed', async () => {
  expect(await pass('')).toMatchObject({ exitCode: 0, stdout: ['on time', 'on time', 'on time'] })
})

test('a kill is one that no process can prepare for', async () => {
  expect(await pass('before-apply:kill')).toMatchObject({ signal: 'SIGKILL', stdout: [] })
})

test('it strikes at the pass that was named, and once', async () => {
  expect(await pass('before-apply:kill@3')).toMatchObject({
    signal: 'SIGKILL',
    stdout: ['on time', 'on time'],
  })
  expect(await pass('before-apply:error@2')).toMatchObject({
    exitCode: 0,
    stdout: ['on time', 'ENGINE_FAILED', 'on time', 'on time'],
  })
})

test('a stall lasts as long as it says', async () => {
  expect(await pass('before-apply:stall=300@2')).toMatchObject({ stdout: ['on time', 'late', 'on time'] })
})

test('every point can be armed with every action', () => {
  for (const point of FAULT_POINTS) {
    expect(parseFault(`${point}:kill`)).toMatchObject({ point, action: 'kill', after: 1 })
    expect(parseFault(`${point}:stall=50@7`)).toEqual({ point, action: 'stall', after: 7, stallMs: 50 })
  }
  expect(parseFault(undefined)).toBeNull()
})

test.each([
  'before-apply',
  'before-apply:explode',
  'nowhere:kill',
  'before-apply:kill@x',
  'before-apply:kill ',
])('the fault %j is refused with the points and actions there are', (text) => {
  expect(() => parseFault(text)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', remedy: expect.stringContaining('during-switch') }),
  )
})

test('a process that is given a fault that does not exist ends instead of running without it', async () => {
  const { exitCode, stderr } = await pass('nowhere:kill')
  expect(exitCode).not.toBe(0)
  expect(stderr.join('\n')).toContain('LAKEDUEL_FAULT')
})
