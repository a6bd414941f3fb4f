import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { profileFor, profilesText, readProfiles, type TunedProfile } from '../../../cli/tune/profiles.ts'

const GIB = 2 ** 30

function profile(arm: TunedProfile['arm'], podBytes: number, rows: number): TunedProfile {
  const foundWith = { rows, rowBytes: 1, partitions: 1, s3LatencyMs: 0, runId: 'r', defaultMs: 2, tunedMs: 1 }
  return { arm, podBytes, settings: { threads: rows }, foundWith: { ...foundWith, peakBytes: 1 } }
}

const PROFILES = [
  profile('ducklake/merge', GIB, 1),
  profile('ducklake/merge', 2 * GIB, 2),
  profile('ducklake/merge', 2 * GIB, 3),
  profile('delta/deltalite', 4 * GIB, 4),
]

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-tune-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each([
  [2 * GIB, 3],
  [1.5 * GIB, 1],
  [8 * GIB, 3],
  [null, 3],
])('a pod of %s bytes takes the profile of the largest pod that is no larger', (podBytes, rows) => {
  expect(profileFor(PROFILES, 'ducklake/merge', podBytes).foundWith.rows).toBe(rows)
})

test('a pod that is smaller than all that were tuned is refused, since nothing is known to fit it', () => {
  expect(() => profileFor(PROFILES, 'delta/deltalite', GIB)).toThrow('No tuned settings fit delta/deltalite')
})

test('what is written is read again', async () => {
  const path = join(folder, 'tuned.json')
  await writeFile(path, profilesText(PROFILES))
  expect(await readProfiles(path)).toEqual(PROFILES)
})

test.each([
  ['is missing', null, 'cannot be read'],
  ['is no JSON', '{', 'no JSON'],
  ['is something else', '{"version":1,"profiles":[{"arm":"delta/x"}]}', 'arm'],
])('a file that %s is refused', async (_, text, says) => {
  const path = join(folder, 'broken.json')
  await rm(path, { force: true })
  if (text !== null) await writeFile(path, text)
  await expect(readProfiles(path)).rejects.toThrow(says)
})
