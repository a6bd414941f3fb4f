import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ColumnNames } from '../../../../pipeline/extract/naming/column-names.ts'

function namesOf(sources: readonly string[], given: readonly (readonly [string, string])[] = []) {
  const names = new ColumnNames(given)
  names.add(sources)
  return Object.fromEntries(names.given)
}

const sourcesArbitrary = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'B', '_', ' ', '-', '1'), minLength: 1, maxLength: 4 }),
  { maxLength: 12 },
)

describe('the names of columns', () => {
  test('that fall together get underscores in front; the one that is called so keeps its name', () => {
    expect(namesOf(['userId', 'user id', 'user_id', 'USER_ID'])).toEqual({
      user_id: 'user_id',
      USER_ID: '_user_id',
      'user id': '__user_id',
      userId: '___user_id',
    })
  })

  test('do not depend on the order in which new columns show up', () => {
    fc.assert(
      fc.property(
        sourcesArbitrary.chain((sources) =>
          fc.tuple(fc.constant(sources), fc.shuffledSubarray(sources, { minLength: sources.length })),
        ),
        ([sources, shuffled]) => {
          expect(namesOf(shuffled)).toEqual(namesOf(sources))
        },
      ),
    )
  })

  test('are different for different columns, and stay once they are given', () => {
    fc.assert(
      fc.property(sourcesArbitrary, sourcesArbitrary, (first, later) => {
        const names = new ColumnNames()
        names.add(first)
        const before = Object.fromEntries(names.given)
        names.add(later)
        expect(Object.fromEntries(names.given)).toMatchObject(before)
        expect(new Set(names.given.values()).size).toBe(names.given.size)
        expect(Object.fromEntries(new ColumnNames(names.given).given)).toEqual(
          Object.fromEntries(names.given),
        )
      }),
    )
  })

  test('of an earlier run are in the way of new ones', () => {
    expect(namesOf(['id', 'Id'], [['Id', 'id']])).toEqual({ Id: 'id', id: '_id' })
  })

  test('keep the order of the source', () => {
    expect(Object.keys(namesOf(['b', 'B', 'a']))).toEqual(['b', 'B', 'a'])
  })

  test.each([
    ['lakeduel_partition', '_lakeduel_partition'],
    ['LakeduelPart', '_lakeduel_part'],
    ['file_row_number', '_file_row_number'],
    ['_ducklake_internal_row_id', '__ducklake_internal_row_id'],
    ['_change_type', '__change_type'],
    ['select', 'select'],
    ['', 'unnamed'],
    ['  ', 'unnamed'],
  ])('%j becomes %s', (source, name) => {
    expect(namesOf([source])).toEqual({ [source]: name })
  })

  test('are at most as long as the lake allows, with room for underscores', () => {
    const names = namesOf(['x'.repeat(400), 'X'.repeat(400)])
    expect(new Set(Object.values(names)).size).toBe(2)
    for (const name of Object.values(names)) expect(name.length).toBeLessThanOrEqual(255)
  })
})
