import type { Dataset } from '../scenario.ts'
import { keyedTable } from './keyed-table.ts'
import { below, hex, oneOf } from './mix.ts'
import { grouped, slices } from './slices.ts'

const ROWS_PER_SLICE = 100_000
/** Hexadecimal digits in the payload for each byte of a row's width: they compress to about half. */
const DIGITS_PER_HEX = 8
const EPOCH_SECONDS = 1_735_689_600
/** Where the updated keys lie: evenly over all files, in the last one, or anywhere. */
export const LOCALITIES = ['spread', 'last-file', 'random'] as const

const TABLE = keyedTable('invoices', 'payload')

/** A table and a batch that updates some of its rows and adds others. */
export interface OneMerge {
  readonly rows: number
  /** Width of a row's text, of which a good half remains when it is compressed. */
  readonly rowBytes: number
  readonly partitions: number
  readonly updates: number
  readonly inserts: number
  readonly locality: (typeof LOCALITIES)[number]
  readonly seed: number
}

function selectRows(
  { rowBytes, partitions, seed }: OneMerge,
  row: string,
  changed: string,
  source: string,
): string {
  const bucket = partitions === 1 ? "'all'" : `'p' || lpad(CAST(${row} % ${partitions} AS VARCHAR), 4, '0')`
  const changing = `(${row} * 2 + ${changed})`
  const digits = Array.from({ length: Math.ceil(rowBytes / DIGITS_PER_HEX) }, (_, index) =>
    hex(changing, 20 + index, seed),
  )
  return `SELECT CAST(${row} AS BIGINT) AS id, ${bucket} AS bucket,
    ${oneOf(['draft', 'open', 'paid', 'void'], changing, 3, seed)} AS status,
    CAST(${below(10_000_000, changing, 5, seed)} * 0.01 AS DECIMAL(18, 2)) AS amount,
    make_timestamp((${EPOCH_SECONDS} + ${row} * 7 + ${changed}) * 1000000) AS updated_at,
    ${digits.join(' || ')} AS payload
  FROM ${source}`
}

/** SQL of the key of the k-th updated row; every key occurs once. */
function updatedKey({ rows, updates, locality, seed }: OneMerge, k: string): string {
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
function version(shape: OneMerge): string {
  const { rows, updates } = shape
  const stride = Math.floor(rows / updates)
  const k = shape.locality === 'last-file' ? `(i - ${rows - updates})` : `(i // ${stride})`
  return `CASE WHEN i < ${rows} AND ${k} BETWEEN 0 AND ${updates - 1} AND ${updatedKey(shape, k)} = i THEN 1 ELSE 0 END`
}

/** The data of one merge, whose rows are arithmetic of their numbers. */
export function oneMerge(shape: OneMerge): Dataset {
  const { rows, updates, inserts } = shape
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
