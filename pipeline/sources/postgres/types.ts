/**
 * How Postgres types become lake types. Both paths, rows and parts, yield the same values:
 *
 * | Postgres | lake | |
 * |---|---|---|
 * | int2, int4, int8 | int16, int32, int64 | oid: int64 |
 * | numeric(p, s) of at most 38 digits | decimal | NaN is null |
 * | numeric without a precision, or a larger one | string | since its values may have any number of digits; NaN and infinity are null |
 * | float4, float8 | float32, float64 | NaN and infinity are null |
 * | bool, bytea | bool, binary | |
 * | date, timestamp, timestamptz | the same | infinity, and years before 1 or after 9999, are null |
 * | json, jsonb | json | the text as Postgres has it, never parsed |
 * | arrays, composite types | json | by Postgres' own `to_json` |
 * | char(n) | string | without the blanks that it is padded with |
 * | text, varchar, uuid, enums, time, interval, ranges, geometry, inet, … | string | as Postgres writes it |
 *
 * A domain is what it is made of. A column whose values may be null for one of these reasons is nullable in the lake even
 * where it is NOT NULL in Postgres, unless it is part of the key: a key that turned null ends the read with an error.
 */
import type { LakeType } from '../../../backends/schema.ts'
import { DecimalText } from '../source.ts'
import type { CatalogColumn } from './catalog.ts'

/** The expression of a column's value in SQL, given the quoted column. */
type Expression = (column: string) => string

export interface TypeMapping {
  readonly type: LakeType
  /** Whether a value that isn't null may come out as null. */
  readonly mayBecomeNull: boolean
  /** What a row is read by; its text is what `parse` takes. */
  readonly rowSql: Expression
  readonly parse: (text: string) => unknown
  /** What a part is read by, in a form that the scanner of DuckDB carries without a change… */
  readonly partSql: Expression
  /** …and what DuckDB makes of it. */
  readonly duckDbSql: Expression
  /** Bytes of a value in the lake's memory, or null where they vary. */
  readonly fixedBytes: number | null
}

const asItIs: Expression = (column) => column
const sameText = (text: string): string => text

/**
 * Whatever a type's own output function writes. A cast to text says otherwise for some types (inet, "char", char(n)), and
 * concat() makes an empty text of NULL.
 */
const written: Expression = (column) =>
  `CASE WHEN ${column} IS NOT NULL THEN pg_catalog.concat(${column}) END`

const STRING: TypeMapping = {
  type: { kind: 'string' },
  mayBecomeNull: false,
  rowSql: asItIs,
  parse: sameText,
  partSql: written,
  duckDbSql: asItIs,
  fixedBytes: null,
}
const TEXT: TypeMapping = { ...STRING, partSql: asItIs }
const JSON_TEXT: TypeMapping = { ...TEXT, type: { kind: 'json' } }
const TO_JSON: TypeMapping = {
  ...JSON_TEXT,
  rowSql: (column) => `pg_catalog.to_json(${column})`,
  partSql: (column) => `pg_catalog.to_json(${column})`,
}

const INTEGER: Omit<TypeMapping, 'type' | 'fixedBytes'> = {
  mayBecomeNull: false,
  rowSql: asItIs,
  parse: Number,
  partSql: asItIs,
  duckDbSql: asItIs,
}
const INT64: TypeMapping = { ...INTEGER, type: { kind: 'int64' }, parse: BigInt, fixedBytes: 8 }

const FLOAT: Omit<TypeMapping, 'type' | 'fixedBytes'> = {
  ...INTEGER,
  mayBecomeNull: true,
  parse: (text) => {
    const number = Number(text)
    return Number.isFinite(number) ? number : null
  },
  duckDbSql: (column) => `CASE WHEN isfinite(${column}) THEN ${column} END`,
}

/** Years 1 to 9999 are what every reader of the two formats can show. */
function moment(kind: 'date' | 'timestamp' | 'timestamptz', fixedBytes: number): TypeMapping {
  const duckDbType = kind.toUpperCase()
  const [first, end] =
    kind === 'date' ? ['0001-01-01', '10000-01-01'] : ['0001-01-01 00:00:00', '10000-01-01 00:00:00']
  const zone = kind === 'timestamptz' ? '+00' : ''
  return {
    type: { kind },
    mayBecomeNull: true,
    rowSql: asItIs,
    parse: (text) => (isCommonYear(text) ? text : null),
    partSql: asItIs,
    duckDbSql: (column) =>
      `CASE WHEN ${column} >= ${duckDbType} '${first}${zone}' AND ${column} < ${duckDbType} '${end}${zone}' THEN ${column} END`,
    fixedBytes,
  }
}

/** Postgres writes years with four digits or more, `BC` behind those before 1, and words for the infinities. */
function isCommonYear(text: string): boolean {
  return text[4] === '-' && !text.endsWith('BC')
}

const BUILT_IN: Readonly<Record<string, TypeMapping>> = {
  bool: { ...INTEGER, type: { kind: 'bool' }, parse: (text) => text === 't', fixedBytes: 1 },
  int2: { ...INTEGER, type: { kind: 'int16' }, fixedBytes: 2 },
  int4: { ...INTEGER, type: { kind: 'int32' }, fixedBytes: 4 },
  int8: INT64,
  oid: { ...INT64, partSql: (column) => `${column}::pg_catalog.int8` },
  float4: { ...FLOAT, type: { kind: 'float32' }, fixedBytes: 4 },
  float8: { ...FLOAT, type: { kind: 'float64' }, fixedBytes: 8 },
  date: moment('date', 4),
  timestamp: moment('timestamp', 8),
  timestamptz: moment('timestamptz', 8),
  text: TEXT,
  varchar: TEXT,
  bpchar: {
    ...TEXT,
    rowSql: (column) => `${column}::pg_catalog.text`,
    partSql: (column) => `${column}::pg_catalog.text`,
  },
  uuid: { ...TEXT, duckDbSql: (column) => `CAST(${column} AS VARCHAR)`, fixedBytes: 36 },
  json: JSON_TEXT,
  jsonb: JSON_TEXT,
  bytea: {
    ...TEXT,
    type: { kind: 'binary' },
    parse: (text) => Buffer.from(text.slice(2), 'hex'),
  },
}

/** A `numeric` without a usable precision. DuckDB's scanner would make a double of it. */
const NUMERIC_TEXT: TypeMapping = {
  ...TEXT,
  mayBecomeNull: true,
  parse: (text) => (isFiniteNumeric(text) ? text : null),
  partSql: (column) => `${column}::pg_catalog.text`,
  duckDbSql: (column) => `CASE WHEN ${column} NOT IN ('NaN', 'Infinity', '-Infinity') THEN ${column} END`,
}

function isFiniteNumeric(text: string): boolean {
  return text !== 'NaN' && !text.endsWith('Infinity')
}

export function mappingOf(column: CatalogColumn): TypeMapping {
  if (column.category === 'A' || column.baseKind === 'c' || column.base === 'record') return TO_JSON
  if (!column.builtIn) return STRING
  if (column.base === 'numeric') return numericMapping(column.modifier)
  return BUILT_IN[column.base] ?? STRING
}

const MAX_DIGITS = 38

/** @param modifier `pg_attribute.atttypmod`: the precision and the scale, which may be negative or exceed the precision */
function numericMapping(modifier: number): TypeMapping {
  if (modifier < 4) return NUMERIC_TEXT
  const digits = ((modifier - 4) >> 16) & 0xffff
  const decimals = (((modifier - 4) & 0x7ff) ^ 1024) - 1024
  const scale = Math.max(decimals, 0)
  const precision = Math.max(decimals < 0 ? digits - decimals : digits, scale)
  if (precision > MAX_DIGITS) return NUMERIC_TEXT
  return {
    type: { kind: 'decimal', precision, scale },
    mayBecomeNull: true,
    rowSql: asItIs,
    parse: (text) => (isFiniteNumeric(text) ? new DecimalText(text) : null),
    // The cast gives the type to the scanner, which knows it from the column alone; NaN has no other form that it reads.
    partSql: (column) => `NULLIF(${column}::pg_catalog.numeric(${precision}, ${scale}), 'NaN')`,
    duckDbSql: asItIs,
    fixedBytes: 16,
  }
}
