import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogPrefix, placeOf, type Surroundings } from '../../../scenarios/runner/surroundings.ts'

const RUN_ID = '261126t121212abcd'
const surroundings: Pick<Surroundings, 'runId' | 'storage'> = {
  runId: RUN_ID,
  storage: { kind: 'local', root: '/lake' },
}

test('every place has a catalog of its own, however long and alike their paths are', () => {
  const path = fc.string({ minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(path, path, (one, other) => {
      const names = [one, other].map(
        (end) => placeOf(surroundings, `cells/merge-partitions/${end}`).catalogSchema,
      )
      expect(new Set(names).size).toBe(one === other ? 1 : 2)
      for (const name of names) {
        expect(name).toMatch(/^[a-z_][a-z0-9_]{0,62}$/)
        expect(name.startsWith(catalogPrefix(RUN_ID))).toBe(true)
      }
    }),
  )
})

test('a cell and its control have catalogs apart', () => {
  const path = 'cells/merge-partitions/ducklake/merge/partitions=100,s3LatencyMs=15/0'
  expect(placeOf(surroundings, path).catalogSchema).not.toBe(
    placeOf(surroundings, `${path}-control`).catalogSchema,
  )
})
