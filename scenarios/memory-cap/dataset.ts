import type { TableSpec } from '../../backends/schema.ts'
import type { Point } from '../../reports/schema.ts'
import { column } from '../data/column.ts'
import { below, hex, oneOf } from '../data/mix.ts'
import { grouped, slices } from '../data/slices.ts'
import type { Dataset, Parameters } from '../scenario.ts'
import { nameAt, numberAt, parameter } from '../scenario.ts'

const ROWS_PER_SLICE = 100_000
/** Hexadecimal digits in the payload for each byte of a row's width: they compress to about half. */
const DIGITS_PER_HEX = 8
const EPOCH_SECONDS = 1_735_689_600
/** Where the updated keys lie: evenly over all files, in the last one, or anywhere. */
export const LOCALITIES = ['spread', 'last-file', 'random'] as const

const TABLE: TableSpec = {
  name: 'invoices',
  columns: [
    column('id', { kind: 'int64' }),
    column('bucket', { kind: 'string' }),
    column('status', { kind: 'string' }),
    column('amount', { kind: 'decimal', precision: 18, scale: 2 }),
    column('updated_at', { kind: 'timestamp' }),
    column('payload', { kind: 'string' }),
  ],
  primaryKey: ['id'],
  partitionBy: 'bucket',
}

interface Shape {
  readonly rows: number
  readonly rowBytes: number
  readonly updates: number
  readonly inserts: number
  readonly locality: (typeof LOCALITIES)[number]
  readonly seed: number
}

/** Rows of about `rowBytes` bytes, of which a good half remains when they are compressed. */
function selectRows({ rowBytes, seed }: Shape, row: string, changed: string, source: string): string {
  const changing = `(${row} * 2 + ${changed})`
  const digits = Array.from({ length: Math.ceil(rowBytes / DIGITS_PER_HEX) }, (_, index) =>
    hex(changing, 20 + index, seed),
  )
  return `SELECT CAST(${row} AS BIGINT) AS id, 'all' AS bucket,
    ${oneOf(['draft', 'open', 'paid', 'void'], changing, 3, seed)} AS status,
    CAST(${below(10_000_000, changing, 5, seed)} * 0.01 AS DECIMAL(18, 2)) AS amount,
    make_timestamp((${EPOCH_SECONDS} + ${row} * 7 + ${changed}) * 1000000) AS updated_at,
    ${digits.join(' || ')} AS payload
  FROM ${source}`
}

/** SQL of the key of the k-th updated row; every key occurs once. */
function updatedKey({ rows, updates, locality, seed }: Shape, k: string): string {
  const stride = Math.floor(rows / updates)
  switch (locality) {
    case 'spread':
      return `(${k} * ${stride})`
    case 'last-file':
      return `(${rows - updates} + ${k})`
    case 'random':
      return `(${k} * ${stride} + ${below(stride, k, 9, seed)})`
  }
}

/** SQL that is 1 for the stored rows that the batch updates, by turning `updatedKey` around. */
function version(shape: Shape): string {
  const { rows, updates } = shape
  const stride = Math.floor(rows / updates)
  const k = shape.locality === 'last-file' ? `(i - ${rows - updates})` : `(i // ${stride})`
  return `CASE WHEN i < ${rows} AND ${k} BETWEEN 0 AND ${updates - 1} AND ${updatedKey(shape, k)} = i THEN 1 ELSE 0 END`
}

/** One partition of rows that compress to about half of `rowBytes` and a dozen bytes. */
export function memoryCapDataset(point: Point, parameters: Parameters, seed: number): Dataset {
  const batchRows = parameter(parameters, 'batchRows')
  const updates = Math.floor(batchRows / 2)
  const shape: Shape = {
    rows: parameter(parameters, 'rows') * numberAt(point, 'tableSize'),
    rowBytes: numberAt(point, 'rowBytes'),
    updates,
    inserts: batchRows - updates,
    locality: localityAt(point),
    seed,
  }
  const { rows, inserts } = shape
  const end = rows + inserts
  const expectedRows = (source: string) => selectRows(shape, 'i', version(shape), source)
  const updated = slices(0, updates, ROWS_PER_SLICE, (source) =>
    selectRows(shape, updatedKey(shape, 'i'), '1', source),
  )
  const inserted = slices(rows, end, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source))
  return {
    table: TABLE,
    initial: grouped(
      slices(0, rows, ROWS_PER_SLICE, (source) => selectRows(shape, 'i', '0', source)).map((slice) => [
        slice,
      ]),
      4,
    ),
    batches: [[[...updated, ...inserted]]],
    expected: slices(0, end, ROWS_PER_SLICE, expectedRows),
    probes: [0, rows - 1, rows, end].map((key) => ({
      key,
      row: slices(key, Math.min(key + 1, end), 1, expectedRows)[0] ?? null,
    })),
    readQuery: {
      beforeRelation: 'SELECT status, count(*), sum(amount) FROM ',
      afterRelation: ' GROUP BY ALL',
    },
  }
}

function localityAt(point: Point): Shape['locality'] {
  const name = nameAt(point, 'locality')
  const found = LOCALITIES.find((locality) => locality === name)
  if (found === undefined) throw new RangeError(`there is no locality "${name}"`)
  return found
}
