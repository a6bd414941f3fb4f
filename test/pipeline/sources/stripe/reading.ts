import { parseSourceConfig } from '../../../../pipeline/sources/config.ts'
import type { Page, ReadRequest, Row, Source, SourceTable } from '../../../../pipeline/sources/source.ts'
import { stripe } from '../../../../pipeline/sources/stripe/index.ts'
import { DEFAULT_API_KEY } from '../../../../scenarios/stripe-server/options.ts'
import type { StripeServer } from '../../../../scenarios/stripe-server/server.ts'

/** The source as a process would open it, pointed at the server. */
export function openSource(
  server: StripeServer,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Source> {
  const config = { apiKey: DEFAULT_API_KEY, baseUrl: server.url, ...settings }
  return stripe.open(parseSourceConfig(stripe, config))
}

type Variant = Partial<Omit<ReadRequest, 'table' | 'limits'>> & {
  readonly limits?: Partial<ReadRequest['limits']>
}

export async function requestOf(source: Source, name: string, variant: Variant = {}): Promise<ReadRequest> {
  const { limits, ...rest } = variant
  return {
    table: tableOf(await source.discover(), name),
    incremental: null,
    resume: null,
    signal: new AbortController().signal,
    parents: null,
    ...rest,
    limits: {
      readAheadBytes: 150 * 2 ** 20,
      pageRows: 10_000,
      maxRowBytes: Number.MAX_SAFE_INTEGER,
      ...limits,
    },
  }
}

/** All pages of a read, by a source of its own that is closed afterwards. */
export async function pagesOf(
  server: StripeServer,
  name: string,
  variant: Variant = {},
): Promise<readonly Page[]> {
  await using source = await openSource(server)
  const pages: Page[] = []
  for await (const page of source.read(await requestOf(source, name, variant))) pages.push(page)
  return pages
}

/** A cursor as it comes back from where it was stored. */
export function stored<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value))
}

export function idsIn(pages: readonly Page[]): readonly unknown[] {
  return rowsIn(pages).map((row) => row['id'])
}

export function rowsIn(pages: readonly Page[]): readonly Row[] {
  return pages.flatMap((page) => page.rows)
}

function tableOf(tables: readonly SourceTable[], name: string): SourceTable {
  const table = tables.find((one) => one.name === name)
  if (table === undefined) throw new Error(`the source has no table ${name}`)
  return table
}
