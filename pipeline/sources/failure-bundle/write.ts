import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { errorCode } from '../../../platform/disk.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { packageRoot } from '../../../platform/package-root.ts'
import { VERSION } from '../../../platform/version.ts'
import type { RawConfig } from '../config.ts'
import { causesOf, classify, isTold } from '../errors.ts'
import { exchangeOf } from '../exchange.ts'
import { hideSecretsIn, secretsOf, withoutSecrets } from '../secrets.ts'
import type { ClassifiedFailure, ReadRequest, SourceDefinition, SourceTable } from '../source.ts'
import { type Bundle, bundleSchema, newBundleId, storeBundle } from './bundle.ts'
import { shapeOf } from './shape.ts'
import { shownOrWithheld, withoutQuotes } from './withheld.ts'

/** What is known when a read has failed. */
export interface FailureReport {
  readonly definition: SourceDefinition
  /** The name or path by which the source was found. */
  readonly from: string
  /** Secrets included: they are what must not show. */
  readonly config: RawConfig
  readonly runId: string | null
  readonly table: SourceTable
  /** The columns of the lake's table, as far as there is one. */
  readonly lakeColumns: readonly ColumnSpec[]
  /** How the page that failed was asked for: `resume` is the cursor of the last one that was read. */
  readonly request: Pick<ReadRequest, 'incremental' | 'resume' | 'limits'>
  readonly error: unknown
  /** Keeps values of rows and what messages quote; never secrets. */
  readonly includeValues: boolean
}

/** Headers that tell of the exchange and of nobody. */
const PLAIN_HEADERS =
  /^(?:content-(?:type|length)|date|retry-after|server|(?:x-)?request-id|x-rate-?limit-.*)$/i
const MAX_STACK_LINES = 30
const FRAME = /^\s+at (?:async )?[\w.<>#[\] ]*\(?(?:node:|file:|\/)[^\s()]+:\d+:\d+\)?$/

/**
 * Writes what is needed to mend a source apart from where it failed, without a secret and (unless asked for) without a value
 * of any row.
 * @param folder where bundles are kept; each is a folder in it
 * @returns the folder of the bundle
 */
export function writeFailureBundle(folder: string, report: FailureReport): Promise<string> {
  const { definition, config, table, runId, includeValues } = report
  const secrets = secretsOf(definition, config)
  const now = new Date()
  const id = newBundleId(definition.name, table.name, now)
  const bundle = bundleSchema.parse({
    bundleVersion: 1,
    id,
    createdAt: now.toISOString(),
    includesValues: includeValues,
    lakeduel: { version: VERSION, node: process.version, platform: `${process.platform}-${process.arch}` },
    runId,
    source: {
      name: definition.name,
      version: definition.version,
      from: report.from,
      config: hiddenConfig(definition, config, secrets),
    },
    failure: told(report, secrets),
    error: errorPart(report, secrets),
    table: tablePart(table),
    lakeColumns: report.lakeColumns,
    read: readPart(report),
    replay: replayCommand(join(resolve(folder), id)),
  })
  return storeBundle(folder, bundle, withheldOf(bundle, report.request))
}

function tablePart({ name, columns, primaryKey, parent }: SourceTable): Bundle['table'] {
  return {
    name,
    columns: columns === null ? null : columns.map((column) => ({ ...column })),
    primaryKey: [...primaryKey],
    parent: parent?.table ?? null,
  }
}

function readPart({ definition, table, request, includeValues }: FailureReport): Bundle['read'] {
  const { incremental, resume, limits } = request
  const names = new Set([...(table.columns ?? []).map(({ name }) => name), ...table.primaryKey])
  const isOpaque = includeValues || definition.opaqueCursors === true
  return {
    incremental:
      incremental === null
        ? null
        : { field: incremental.field, since: shownOrWithheld(incremental.since, isOpaque, names) },
    cursor: shownOrWithheld(resume, isOpaque, names),
    limits: { ...limits },
  }
}

function replayCommand(folder: string): string {
  return `lakeduel source replay ${/^[\w./-]+$/.test(folder) ? folder : JSON.stringify(folder)}`
}

function withheldOf({ read }: Bundle, { resume, incremental }: FailureReport['request']) {
  const isWithheld = read.cursor.is === 'withheld' || read.incremental?.since.is === 'withheld'
  const since = incremental?.since ?? null
  return isWithheld ? { cursor: z.json().parse(resume), since: z.json().parse(since) } : null
}

/** A setting that would lose a part to the hiding is left out whole: a replay must ask for it, and not fail of it. */
function hiddenConfig(definition: SourceDefinition, config: RawConfig, secrets: readonly string[]) {
  const kept = Object.entries(withoutSecrets(definition, config)).filter(
    ([, value]) => JSON.stringify(hideSecretsIn(value, secrets)) === JSON.stringify(value),
  )
  return Object.fromEntries(kept)
}

/** The lines of error tables are written by authors who keep values out of them; anything else may quote a row. */
function told(
  { definition, error, includeValues }: FailureReport,
  secrets: readonly string[],
): ClassifiedFailure {
  const failure = classify(definition, error, secrets)
  if (includeValues) return failure
  if (isTold(definition, failure)) return { ...failure, message: withoutQuotes(failure.message) }
  const name = error instanceof Error ? error.name : typeof error
  return {
    ...failure,
    message: `${error instanceof LakeduelError ? error.code : name}, with a message of ${failure.message.length} characters that is left out.`,
  }
}

function errorPart({ error, includeValues }: FailureReport, secrets: readonly string[]): unknown {
  const chain = causesOf(error)
  const exchange = exchangeOf(chain)
  const part = {
    chain: chain.map((one) => ({
      name: one instanceof Error ? one.name : typeof one,
      code: plainCode(one),
      fields: includeValues ? jsonOf(fieldsOf(one)) : shapeOf(fieldsOf(one)),
      stack: stackOf(one),
    })),
    exchange: exchange === null ? null : exchangePart(exchange, includeValues),
  }
  return hideSecretsIn(part, secrets)
}

function exchangePart(
  {
    route,
    status,
    query,
    requestHeaders = {},
    responseHeaders = {},
    body,
  }: NonNullable<ReturnType<typeof exchangeOf>>,
  includeValues: boolean,
): unknown {
  const shown = (value: unknown) => (includeValues ? jsonOf(value) : shapeOf(value))
  return {
    request: { route, query: shown(query), headers: headersPart(requestHeaders) },
    response: { status, headers: headersPart(responseHeaders), body: shown(body) },
  }
}

/** Headers with keys and cookies in them stay out, whatever was asked for. */
function headersPart(headers: Readonly<Record<string, string>>): unknown {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, PLAIN_HEADERS.test(name) ? value : shapeOf(value)]),
  )
}

function plainCode(error: unknown): string | null {
  const code = errorCode(error) ?? ''
  return /^[A-Za-z0-9_]{1,40}$/.test(code) ? code : null
}

/** What an error carries besides its message; its exchange has a place of its own. */
function fieldsOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error
  const { exchange: _exchange, cause: _cause, ...fields } = { ...error, exchange: null, cause: null }
  return fields
}

function jsonOf(value: unknown): unknown {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  )
  return text === undefined ? null : JSON.parse(text)
}

/** The frames, without the message before them, and without where this machine keeps its files. */
function stackOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  const { stack = '', message } = error
  const frames = message === '' ? stack : stack.slice(stack.indexOf(message) + message.length)
  return frames
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MAX_STACK_LINES)
    .map((line) => line.trim().replaceAll(/(?:file:\/\/)?\/[^\s():]+/g, shortPath))
}

function shortPath(path: string): string {
  const plain = path.startsWith('file:') ? fileURLToPath(path) : path
  const within = relative(packageRoot, plain)
  return within.startsWith('..') ? basename(plain) : within
}
