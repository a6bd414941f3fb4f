import { below, hex, oneOf } from './data/mix.ts'
import { grouped, slices } from './data/slices.ts'
import { WORDS } from './data/words.ts'
import type { BatchPlan, Dataset, Parameters, ProfileSpec, Scenario, Slice } from './scenario.ts'
import { parameter } from './scenario.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const MB = 1_000_000
const MINUTE_MS = 60_000
/** Bytes of one generated line item with its comma, on average; the tests hold it against generated rows. */
const ITEM_BYTES = 192
/** A row group's payload: what a reader must hold of a staged part at least. */
const ROW_GROUP_BYTES = 16 * MIB
const PART_BYTES = 64 * MIB
/** The most payload that the pipeline puts into one batch. */
const BATCH_BYTES = 256 * MIB
const EPOCH_SECONDS = 1_735_689_600

interface Shape {
  readonly items: number
  readonly partitions: number
  readonly seed: number
}

/** One line item of an invoice as JSON text; `item` is SQL of a whole number that is different for each. */
function lineItem(item: string, seed: number): string {
  const word = (salt: number) => oneOf(WORDS, item, salt, seed)
  return `'{"id":"il_' || ${hex(item, 1, seed)} || '","object":"line_item","amount":' || ${below(100_000, item, 2, seed)}
    || ',"currency":"usd","description":"' || ${word(3)} || ' ' || ${word(4)} || '","period":{"start":'
    || (${EPOCH_SECONDS} + ${below(31_536_000, item, 5, seed)}) || '},"price":"price_' || ${hex(item, 6, seed)}
    || '","quantity":' || ${below(20, item, 7, seed)} || ',"proration":false}'`
}

/** An invoice with all its line items as one JSON text. An update makes new line items of the same number. */
function selectRows(shape: Shape, version: number, source: string): string {
  const item = `((i * 2 + ${version}) * ${shape.items} + item)`
  return `SELECT CAST(i AS BIGINT) AS id,
    'p' || lpad(CAST(i % ${shape.partitions} AS VARCHAR), 4, '0') AS bucket,
    make_timestamp((${EPOCH_SECONDS} + i * 7 + ${version} * 86400) * 1000000) AS updated_at,
    '[' || array_to_string(list_transform(range(${shape.items}), lambda item: ${lineItem(item, shape.seed)}), ',') || ']' AS payload
  FROM ${source}`
}

/** Slices of a row group each, then parts, then batches, each bounded by its bytes. */
function batchesOf(rowSlices: readonly Slice[], sliceBytes: number): readonly BatchPlan[] {
  const parts = grouped(rowSlices, Math.max(1, Math.floor(PART_BYTES / sliceBytes)))
  return grouped(parts, Math.max(1, Math.floor(BATCH_BYTES / PART_BYTES)))
}

function dataset(parameters: Parameters, seed: number): Dataset {
  const rows = parameter(parameters, 'rows')
  const rowBytes = parameter(parameters, 'rowBytes')
  const shape: Shape = {
    items: Math.ceil(rowBytes / ITEM_BYTES),
    partitions: parameter(parameters, 'partitions'),
    seed,
  }
  const rowsPerSlice = Math.max(1, Math.floor(ROW_GROUP_BYTES / rowBytes))
  const sliceBytes = rowsPerSlice * rowBytes
  const stored = slices(0, rows, rowsPerSlice, (source) => selectRows(shape, 0, source))
  const updated = slices(0, rows, rowsPerSlice, (source) => selectRows(shape, 1, source))
  return {
    table: {
      name: 'wide_invoices',
      columns: [
        { name: 'id', type: { kind: 'int64' }, nullable: false },
        { name: 'bucket', type: { kind: 'string' }, nullable: false },
        { name: 'updated_at', type: { kind: 'timestamp' }, nullable: false },
        { name: 'payload', type: { kind: 'json' }, nullable: true },
      ],
      primaryKey: ['id'],
      partitionBy: 'bucket',
    },
    initial: batchesOf(stored, sliceBytes),
    batches: batchesOf(updated, sliceBytes),
    expected: updated,
    probes: [0, rows - 1, rows].map((key) => ({
      key,
      row: slices(key, Math.min(key + 1, rows), 1, (source) => selectRows(shape, 1, source))[0] ?? null,
    })),
    readQuery: {
      beforeRelation: 'SELECT bucket, count(*), sum(strlen(payload)) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

function profile(rows: number, rowBytes: number, repeat: number, minutes: number): ProfileSpec {
  return {
    parameters: { rows, rowBytes, partitions: 10 },
    repeat,
    firstRepetitionOnly: [],
    memoryCapBytes: GIB,
    phaseDeadlineMs: minutes * MINUTE_MS,
    // A sixth of the raw bytes: staged twice, one prepared table a format, a cell's copy and its rewrites.
    diskBytes: Math.ceil((rows * rowBytes * 12) / 6 + GIB / 4),
  }
}

export const wideJson: Scenario = {
  name: 'wide-json',
  question: 'Can rows of wide JSON be upserted in a small pod?',
  description:
    'Upserts rows of wide JSON text, all of them stored already, in batches bounded by bytes, under a memory cap.',
  phases: ['apply', 'read-after'],
  profiles: {
    smoke: profile(20, 200_000, 1, 2),
    quick: profile(100, MB, 2, 4),
    standard: profile(200, 5 * MB, 5, 15),
    full: { ...profile(1_000, 30 * MB, 3, 120), memoryCapBytes: 2 * GIB },
  },
  dataset,
}
