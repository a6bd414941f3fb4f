import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { removeCgroup, sweepCgroups } from '../../../platform/pods/cgroup-directory.ts'
import { cgroupOf } from '../../../platform/pods/cgroup-location.ts'
import { detectPodMechanism } from '../../../platform/pods/mechanism.ts'
import { isAbandonedPodName, nextPodName } from '../../../platform/pods/pod-name.ts'

const { mechanism } = await detectPodMechanism()
const parent = cgroupOf('self', 'v1 memory')
if (mechanism !== 'cgroup-v1')
  console.warn(`The sweep of v1 cgroups is not tested: pods are made by ${mechanism}`)

test.skipIf(mechanism !== 'cgroup-v1' || parent === null)(
  'a pod whose owner was killed is removed with what still runs in it, and that of a living owner stays',
  async () => {
    const owner = execa('true')
    await owner
    // In a cgroup of the test's own: any lakeduel process that starts meanwhile sweeps the one that they all share.
    const own = join(parent ?? '', `sweep-test-${process.pid}`)
    const abandoned = join(own, `lakeduel-${owner.pid}-1-abandoned`)
    const held = join(own, `lakeduel-${process.pid}-999-held`)
    await mkdir(own)
    await mkdir(abandoned)
    await mkdir(held)
    const left = execa('sleep', ['1000'], { reject: false })
    await writeFile(join(abandoned, 'cgroup.procs'), String(left.pid))
    await sweepCgroups(own)
    expect((await left).signal).toBe('SIGKILL')
    expect([existsSync(abandoned), existsSync(held)]).toEqual([false, true])
    await removeCgroup(own)
    expect(existsSync(own)).toBe(false)
  },
)

test('a pod is known by its owner, and other names are nobody’s', async () => {
  const owner = execa('true')
  await owner
  expect(isAbandonedPodName(nextPodName('Loader of cell #1'))).toBe(false)
  expect(isAbandonedPodName(`lakeduel-${owner.pid}-1-loader`)).toBe(true)
  expect(isAbandonedPodName('lakeduel-supervisor')).toBe(false)
  expect(isAbandonedPodName('system.slice')).toBe(false)
})
