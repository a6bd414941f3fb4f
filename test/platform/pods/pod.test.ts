import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cgroupOf } from '../../../platform/pods/cgroup-location.ts'
import { classifyExit } from '../../../platform/pods/exit.ts'
import { createPod, detectPodMechanism } from '../../../platform/pods/mechanism.ts'
import type { Pod } from '../../../platform/pods/pod.ts'
import { uncapped } from '../../../platform/pods/uncapped.ts'
import { nextLine } from './lines.ts'
import { allocating, burning } from './programs.ts'

const MIB = 2 ** 20
const node = process.execPath
const { mechanism, reason } = await detectPodMechanism()
const capped = mechanism !== 'none'
if (!capped) console.warn(`Tests of memory caps are skipped: ${reason}`)

/** Starts a shell with a child of its own, and waits until both run. */
async function startFamily(pod: Pod) {
  const family = pod.spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'])
  const child = Number(await nextLine(family))
  return { family, child }
}

describe.skipIf(!capped)(`a pod made by ${mechanism}`, () => {
  test('kills a process that needs more than the cap, and that is told from any other death', async () => {
    await using pod = await createPod({ name: 'over', memoryCapBytes: 128 * MIB })
    const hog = pod.spawn(node, allocating(512))
    await nextLine(hog)
    hog.stdin.write('go\n')
    const exit = await hog
    const death = classifyExit(pod, exit)
    expect(death).toMatchObject({ status: 'oom-killed', mechanism, capBytes: 128 * MIB, oomKills: 1 })
    expect(death.status === 'oom-killed' && death.peakBytes).toBeGreaterThan(120 * MIB)
  })

  test('lets a process live that stays below the cap', async () => {
    await using pod = await createPod({ name: 'under', memoryCapBytes: 512 * MIB })
    const frugal = pod.spawn(node, allocating(200))
    await nextLine(frugal)
    frugal.stdin.write('go\n')
    expect(await nextLine(frugal)).toBe('done')
    expect(pod.usage()?.anonBytes).toBeGreaterThan(200 * MIB)
    frugal.stdin.end()
    expect(classifyExit(pod, await frugal)).toEqual({ status: 'exited', exitCode: 0 })
  })

  test('names memory as the cause when only a child was killed for it and its parent ended by itself', async () => {
    await using pod = await createPod({ name: 'sidecar', memoryCapBytes: 128 * MIB })
    const hog = `const held = []; for (;;) held.push(Buffer.alloc(2 ** 20, 1))`
    const parent = pod.spawn('sh', ['-c', '"$1" -e "$2"; exit 3', 'parent', node, hog])
    const exit = await parent
    expect(exit.exitCode).toBe(3)
    expect(classifyExit(pod, exit)).toMatchObject({ status: 'oom-killed', oomKills: 1 })
  })

  test('ends the pods that its members made, also when those members are gone', async () => {
    const outer = await createPod({ name: 'outer', memoryCapBytes: 512 * MIB })
    const member = outer.spawn(node, [fileURLToPath(new URL('nested-pod.ts', import.meta.url))])
    const inner = Number(await nextLine(member))
    process.kill(member.pid ?? 0, 'SIGKILL')
    await member
    expect(outer.processes()).toEqual([inner])
    await outer[Symbol.asyncDispose]()
    // A killed orphan stays a zombie until init reaps it.
    expect(existsSync(`/proc/${inner}/exe`)).toBe(false)
  })

  test('starts its peak anew for each phase', async () => {
    await using pod = await createPod({ name: 'phases', memoryCapBytes: null })
    await pod.spawn(node, ['-e', 'Buffer.alloc(300 * 2 ** 20, 1)'])
    expect(pod.usage()?.peakBytes).toBeGreaterThan(300 * MIB)
    expect(pod.resetPeak()).toBe(true)
    expect(pod.usage()?.peakBytes).toBeLessThan(100 * MIB)
    expect(pod.capped).toBe(false)
  })

  test('counts the processor time of processes that have ended', async () => {
    await using pod = await createPod({ name: 'cpu', memoryCapBytes: null })
    const loader = pod.spawn(node, burning(300))
    loader.stdin.end()
    const { stdout } = await loader
    const burntSeconds = Number(stdout)
    expect(pod.cpuSeconds()).toBeGreaterThanOrEqual(burntSeconds)
    expect(pod.cpuSeconds()).toBeLessThan(burntSeconds + 0.3)
  })

  test('leaves no cgroup behind when it is disposed of, with processes in it or not', async () => {
    const before = podsOnDisk()
    {
      await using pod = await createPod({ name: 'gone', memoryCapBytes: 64 * MIB })
      await startFamily(pod)
      expect(podsOnDisk().length).toBe(before.length + (mechanism.startsWith('cgroup') ? 1 : 0))
    }
    expect(podsOnDisk()).toEqual(before)
  })
})

describe.each([
  { kind: mechanism, make: createPod },
  { kind: uncapped.name, make: uncapped.create },
])('a pod made by $kind', ({ make }) => {
  test('holds the children of its processes, and kills them with it', async () => {
    await using pod = await make({ name: 'family', memoryCapBytes: null })
    const { family, child } = await startFamily(pod)
    expect(new Set(pod.processes())).toEqual(new Set([family.pid, child]))
    await pod.kill()
    expect(pod.processes()).toEqual([])
    expect(classifyExit(pod, await family)).toEqual({ status: 'killed', signal: 'SIGKILL' })
  })

  test('keeps a child whose parent has ended', async () => {
    await using pod = await make({ name: 'orphan', memoryCapBytes: null })
    const parent = pod.spawn('sh', ['-c', 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $!'])
    const child = Number((await parent).stdout)
    expect(pod.processes()).toEqual([child])
  })

  test('passes the environment and the folder on, and hides nothing that the program said', async () => {
    await using pod = await make({ name: 'environment', memoryCapBytes: null })
    const result = await pod.spawn('sh', ['-c', 'echo "$LAKEDUEL_PROBE $PWD"; echo oops >&2; exit 7'], {
      cwd: '/usr',
      env: { LAKEDUEL_PROBE: "a b'c" },
    })
    expect(result).toMatchObject({ stdout: "a b'c /usr", stderr: 'oops' })
    expect(classifyExit(pod, result)).toEqual({ status: 'exited', exitCode: 7 })
  })

  test('tells a hang from a kill by what the watchdog says', async () => {
    await using pod = await make({ name: 'hang', memoryCapBytes: null })
    const { family } = await startFamily(pod)
    await pod.kill()
    const hang = { reason: 'silence', afterMs: 1234 } as const
    expect(classifyExit(pod, await family, hang)).toEqual({ status: 'hang', ...hang })
  })
})

function podsOnDisk(): readonly string[] {
  const directories = [cgroupOf('self', 'v1 memory'), cgroupOf('self', 'v1 cpuacct'), cgroupOf('self', 'v2')]
  const found = directories.filter((directory) => directory !== null)
  const entries = found.flatMap((directory) => readdirSync(directory))
  return [...new Set(entries.filter((entry) => entry.startsWith(`lakeduel-${process.pid}-`)))]
}
