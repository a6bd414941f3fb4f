import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { type LakeType, lakeTypeSchema } from '../../../backends/schema.ts'
import { typeName } from '../../../backends/widening.ts'
import { partitionChoiceSchema } from '../../../cli/sync/partition-choice.ts'
import { ColumnNames } from '../../../pipeline/extract/naming/column-names.ts'
import { bucketsOf } from '../../../pipeline/extract/partitioning/buckets.ts'
import { optional, planOf, settle } from './columns.ts'

const page = await readFile(new URL('../../../docs/types-and-names.md', import.meta.url), 'utf8')

/** The rows of the table with this heading, cell by cell: the texts in backticks, or else the cell as it is. */
function tableOf(heading: string): readonly (readonly (readonly string[])[])[] {
  const [, body = ''] = page.split(`${heading}\n`)
  const [rows = ''] = body.split('\n\n')
  return rows
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.slice(2, -2).split(' | ').map(textsOf))
}

function textsOf(cell: string): readonly string[] {
  const texts = Array.from(cell.matchAll(/`([^`]*)`/g), ([, text = '']) => text)
  return texts.length > 0 ? texts : [cell]
}

const parsed = (json: string): unknown => JSON.parse(json)

function valuesOf(json: string): readonly unknown[] {
  const values = parsed(json)
  return Array.isArray(values) ? values : [values]
}

function namesOf(sources: readonly string[]): readonly (string | undefined)[] {
  const names = new ColumnNames()
  names.add(sources)
  return sources.map((source) => names.given.get(source))
}

describe('docs/types-and-names.md', () => {
  test.each(tableOf('| source | lake |'))('calls %s %s', ([source = ''], [name]) => {
    expect(namesOf([source])).toEqual([name])
  })

  test.each(tableOf('| columns of one source | lake |'))(
    'calls %s together %s',
    (sources = [], names = []) => {
      expect(namesOf(sources)).toEqual(names)
    },
  )

  test.each(tableOf('| values | type |'))('makes of %s %s', ([json = ''], [type]) => {
    const plan = planOf()
    settle(
      plan,
      valuesOf(json).map((value) => ({ id: 1, value })),
    )
    const column = plan.columns.find(({ name }) => name === 'value')
    expect(column === undefined ? 'not stored yet' : typeName(column.type)).toBe(type)
  })

  test.each(tableOf('| stored | comes | becomes |'))(
    'makes of stored %s with %s %s',
    ([kind], [json = ''], [type]) => {
      const plan = planOf({ known: [optional('value', lakeTypeSchema.parse({ kind }))] })
      const rows = valuesOf(json).map((value) => ({ value }))
      if (type === 'an error') {
        expect(() => settle(plan, rows)).toThrow(expect.objectContaining({ code: 'SCHEMA_MISMATCH' }))
      } else {
        settle(plan, rows)
        expect(plan.columns.map((column) => typeName(column.type))).toEqual([type])
      }
    },
  )

  test.each(tableOf('| partitioning | value | bucket |'))(
    'puts by %s the value %s into %s',
    ([choice], [json = ''], [bucket]) => {
      const spec = partitionChoiceSchema.parse(choice)
      if (spec === 'auto' || spec.mode === 'none') throw new Error('no partitions')
      const value = parsed(json)
      const type: LakeType = { kind: typeof value === 'string' ? 'string' : 'int64' }
      const columns = new Map(['id', 'at'].map((name) => [name, { cells: [value], type }]))
      expect(bucketsOf(spec, columns)(0)).toBe(bucket)
    },
  )

  test('has examples in each of its tables', () => {
    const headings = page.match(/^\|.*\|\n\| ---/gm) ?? []
    expect(headings).toHaveLength(5)
    for (const heading of headings) expect(tableOf(heading.split('\n')[0] ?? '').length).toBeGreaterThan(1)
  })
})
