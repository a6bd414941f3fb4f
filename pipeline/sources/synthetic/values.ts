import type { LakeType } from '../../../backends/schema.ts'
import type { Random } from '../random.ts'
import { DecimalText } from '../source.ts'
import type { ColumnKind } from './config.ts'

/** The beginning of all times in synthetic data, in milliseconds. */
export const EPOCH_MS = Date.UTC(2024, 0, 1)

const WORDS = [
  'amber',
  'basalt',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'granite',
  'harbor',
  'iris',
  'juniper',
] as const
/** Scripts, combining marks, direction marks, quotes, line ends and what is special to SQL, CSV and JSON. */
const UNICODE = [
  'naïve',
  'Grüße',
  '日本語',
  '👩‍👩‍👧',
  'e\u0301',
  'مرحبا',
  '"quoted"',
  "it's",
  'a,b;c',
  'line\nend',
  'tab\t',
  '\\',
  '$1%s',
] as const
const DAY_MS = 86_400_000
const FILLER_BYTES = 64 * 1024

interface Kind {
  readonly type: LakeType
  readonly make: (random: Random) => unknown
}

export const KINDS: Readonly<Record<ColumnKind, Kind>> = {
  int32: { type: { kind: 'int32' }, make: (random) => random.next() | 0 },
  int64: { type: { kind: 'int64' }, make: wideInteger },
  decimal: { type: { kind: 'decimal', precision: 18, scale: 4 }, make: decimal },
  float64: { type: { kind: 'float64' }, make: (random) => (random.share() - 0.5) * 10 ** random.below(20) },
  bool: { type: { kind: 'bool' }, make: (random) => random.below(2) === 1 },
  date: {
    type: { kind: 'date' },
    make: (random) => new Date(EPOCH_MS + random.below(3_650) * DAY_MS).toISOString().slice(0, 10),
  },
  timestamp: { type: { kind: 'timestamp' }, make: microseconds },
  timestamptz: { type: { kind: 'timestamptz' }, make: (random) => new Date(EPOCH_MS + random.next()) },
  string: { type: { kind: 'string' }, make: (random) => words(random, 1 + random.below(6)) },
  unicode: {
    type: { kind: 'string' },
    make: (random) => `${random.oneOf(UNICODE)} ${random.oneOf(UNICODE)}`,
  },
  json: { type: { kind: 'json' }, make: nested },
  binary: {
    type: { kind: 'binary' },
    make: (random) => Buffer.from(Uint32Array.of(random.next(), random.next()).buffer),
  },
}

/** Text of just so many bytes, made quickly: a random block over and over. */
export function filler(random: Random, bytes: number): string {
  const block: string[] = []
  const blockBytes = Math.min(bytes, FILLER_BYTES)
  for (let length = 0; length < blockBytes; length += 8)
    block.push(random.next().toString(36).padStart(7, '0'), ' ')
  return block
    .join('')
    .slice(0, blockBytes)
    .repeat(Math.ceil(bytes / Math.max(blockBytes, 1)))
    .slice(0, bytes)
}

function words(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.oneOf(WORDS)).join(' ')
}

function wideInteger(random: Random): bigint {
  return BigInt.asIntN(64, (BigInt(random.next()) << 32n) | BigInt(random.next()))
}

function decimal(random: Random): DecimalText {
  const sign = random.below(2) === 1 ? '-' : ''
  return new DecimalText(
    `${sign}${random.below(1_000_000_000)}.${String(random.below(10_000)).padStart(4, '0')}`,
  )
}

function microseconds(random: Random): string {
  const text = new Date(EPOCH_MS + random.next()).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}${String(random.below(1_000)).padStart(3, '0')}`
}

function nested(random: Random): unknown {
  return {
    name: words(random, 2),
    'key with spaces': random.below(1_000),
    tags: Array.from({ length: random.below(4) }, () => random.oneOf(UNICODE)),
    inner: { flag: random.below(2) === 1, amount: random.below(1_000_000) / 100, nothing: null },
  }
}
