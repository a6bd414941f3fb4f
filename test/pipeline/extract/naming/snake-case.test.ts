import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { snakeCase } from '../../../../pipeline/extract/naming/snake-case.ts'
import golden from '../golden/names.json' with { type: 'json' }

const UNLIMITED = 10_000

const nameArbitrary = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from('aAzZ019__-+*@|. /٣ü漢😀')),
    fc.string({ unit: 'binary', maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 40,
})

describe('snakeCase', () => {
  test.each(golden.names)('%j is called as dlt calls it', (source, name) => {
    expect(snakeCase(source, UNLIMITED)).toBe(name)
  })

  test.each(golden.shortened)('%j is cut as dlt cuts it', (source, name) => {
    expect(snakeCase(source, 63)).toBe(name)
  })

  test('gives names of lower letters, digits and single underscores that begin with no digit and end with no underscore', () => {
    fc.assert(
      fc.property(nameArbitrary, (source) => {
        const name = snakeCase(source, UNLIMITED)
        expect(name).toMatch(/^(?:|(?!\p{Nd})(?:[a-z\p{Nd}]|_(?!_))*[a-z\p{Nd}])$/u)
      }),
    )
  })

  test('keeps a name that it gave', () => {
    fc.assert(
      fc.property(nameArbitrary, (source) => {
        const name = snakeCase(source, UNLIMITED)
        expect(snakeCase(name, UNLIMITED)).toBe(name)
      }),
    )
  })

  test('never passes the maximum, and tells apart what it cuts', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_', '1'), minLength: 70, maxLength: 90 }),
          {
            minLength: 2,
          },
        ),
        (sources) => {
          const names = sources.map((source) => snakeCase(source, 63))
          expect(names.every((name) => Array.from(name).length <= 63)).toBe(true)
          expect(new Set(names).size).toBe(names.length)
        },
      ),
      { numRuns: 50 },
    )
  })

  test.each(['', ' ', '\t\n', '\u2003'])('has no name for %j, which dlt refuses', (source) => {
    expect(snakeCase(source, UNLIMITED)).toBe('')
  })
})
