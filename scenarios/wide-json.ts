import type { TableSpec } from '../backends/schema.ts'
import type { Point } from '../reports/schema.ts'
import { batchScenario } from './batch-scenario.ts'
import { below, hex, oneOf } from './data/mix.ts'
import { grouped, slices } from './data/slices.ts'
import { WORDS } from './data/words.ts'
import type { BatchPlan, Dataset, Parameters, ProfileSpec, Slice } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'

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

function tableOf(partitioned: boolean): TableSpec {
  return {
    name: 'wide_invoices',
    columns: [
      { name: 'id', type: { kind: 'int64' }, nullable: false },
      { name: 'bucket', type: { kind: 'string' }, nullable: false },
      { name: 'updated_at', type: { kind: 'timestamp' }, nullable: false },
      { name: 'payload', type: { kind: 'json' }, nullable: true },
    ],
    primaryKey: ['id'],
    partitionBy: partitioned ? 'bucket' : null,
  }
}

/** An append adds other rows than those that are stored; an upsert changes all of these. */
function dataset(point: Point, parameters: Parameters, seed: number): Dataset {
  const rowBytes = numberAt(point, 'rowBytes')
  const rows = rowsOf(rowBytes, parameters)
  const upsert = nameAt(point, 'mode') === 'upsert'
  const partitioned = numberAt(point, 'partitions') > 1
  const shape: Shape = {
    items: Math.ceil(rowBytes / ITEM_BYTES),
    partitions: numberAt(point, 'partitions'),
    seed,
  }
  const rowsPerSlice = Math.max(1, Math.floor(ROW_GROUP_BYTES / rowBytes))
  const sliceBytes = rowsPerSlice * rowBytes
  const stored = slices(0, rows, rowsPerSlice, (source) => selectRows(shape, 0, source))
  const [from, to] = upsert ? [0, rows] : [rows, 2 * rows]
  const applied = slices(from, to, rowsPerSlice, (source) => selectRows(shape, 1, source))
  return {
    table: tableOf(partitioned),
    initial: batchesOf(stored, sliceBytes),
    batches: batchesOf(applied, sliceBytes),
    expected: upsert ? applied : [...stored, ...applied],
    probes: [0, rows - 1, from, to - 1, to].map((key) => ({
      key,
      row:
        slices(key, Math.min(key + 1, to), 1, (source) => selectRows(shape, key < from ? 0 : 1, source))[0] ??
        null,
    })),
    readQuery: {
      beforeRelation: 'SELECT bucket, count(*), sum(strlen(payload)) FROM ',
      afterRelation: ' GROUP BY ALL ORDER BY ALL',
    },
  }
}

/** As many rows as make the batches' bytes, and at least two. */
function rowsOf(rowBytes: number, parameters: Parameters): number {
  return Math.max(2, Math.floor((parameter(parameters, 'megabytes') * MB) / rowBytes))
}

interface Size {
  readonly megabytes: number
  readonly rowBytes: readonly number[]
  readonly mode: readonly ('append' | 'upsert')[]
  readonly partitions: readonly number[]
  readonly repeat: number
  readonly minutes: number
  readonly capGib?: number
}

function profile({ megabytes, rowBytes, mode, partitions, repeat, minutes, capGib = 1 }: Size): ProfileSpec {
  return {
    axes: { rowBytes, mode, partitions },
    parameters: { megabytes },
    repeat,
    memoryCapBytes: capGib * GIB,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

/** A sixth of the raw bytes is stored; engines write some 20 to 100 MB of raw bytes a second. */
function estimate(_: Point, parameters: Parameters) {
  const rawBytes = parameter(parameters, 'megabytes') * MB
  const storedBytes = rawBytes / 6
  return {
    shared: { wallMs: 5_000 + rawBytes / 25_000, memoryBytes: 2 * GIB, diskBytes: storedBytes * 4 },
    cell: { wallMs: 5_000 + rawBytes / 30_000, memoryBytes: 2 * GIB, diskBytes: storedBytes * 5 },
  }
}

export const wideJson = batchScenario({
  name: 'wide-json',
  question: 'Can rows of wide JSON be written in a small pod?',
  description:
    'Appends or upserts rows of wide JSON text, in batches bounded by bytes, under a memory cap. An upsert changes every stored row.',
  measures: 'memory added under the cap, and which width still passes',
  axes: [
    {
      name: 'rowBytes',
      unit: 'bytes',
      description: 'JSON text of one row',
      accepts: (value) => typeof value === 'number' && value >= 1_000 && value <= 100 * MB,
    },
    {
      name: 'mode',
      unit: null,
      description: 'whether rows are added or changed',
      accepts: (value) => value === 'append' || value === 'upsert',
    },
    {
      name: 'partitions',
      unit: null,
      description: 'partitions of the table; with 1 it has none',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000,
    },
  ],
  profiles: {
    smoke: profile({
      megabytes: 4,
      rowBytes: [200_000],
      mode: ['upsert'],
      partitions: [10],
      repeat: 1,
      minutes: 2,
    }),
    quick: profile({
      megabytes: 100,
      rowBytes: [MB],
      mode: ['upsert'],
      partitions: [10],
      repeat: 1,
      minutes: 4,
    }),
    standard: profile({
      megabytes: 120,
      rowBytes: [10_000, 30 * MB],
      mode: ['append', 'upsert'],
      partitions: [10],
      repeat: 1,
      minutes: 10,
    }),
    full: profile({
      megabytes: 30_000,
      rowBytes: [10_000, 100_000, MB, 5 * MB, 30 * MB],
      mode: ['append', 'upsert'],
      partitions: [1, 10],
      repeat: 3,
      minutes: 120,
      capGib: 2,
    }),
  },
  estimate,
  datasetKey: (point) =>
    `${nameAt(point, 'mode')}-${numberAt(point, 'rowBytes')}-${numberAt(point, 'partitions')}`,
  dataset,
  mode: (point) => (nameAt(point, 'mode') === 'append' ? 'append' : 'upsert'),
  phases: () => ['apply', 'read-after'],
})
