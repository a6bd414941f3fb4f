import { constants } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import type { z } from 'zod'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import type {
  Cursor,
  Page,
  ReadLimits,
  ReadRequest,
  Row,
  Source,
  SourceTable,
} from '../../../../pipeline/sources/source.ts'
import { postgresClient } from '../../../../platform/services/postgres/client.ts'

type ConfigInput = z.input<typeof postgres.config>

/** A database of a test file's own on the test server. Disposing of it drops it. */
export class TestDatabase implements AsyncDisposable {
  readonly name: string
  readonly client: pg.Client

  private constructor(name: string, client: pg.Client) {
    this.name = name
    this.client = client
  }

  /** @param options of CREATE DATABASE, such as an encoding */
  static async create(options = ''): Promise<TestDatabase> {
    const name = `source_${randomUUID().slice(0, 8)}`
    await onServer((client) => client.query(`CREATE DATABASE ${name} ${options}`))
    const client = postgresClient({ ...inject('services').postgres, database: name })
    client.on('error', () => undefined)
    await client.connect()
    return new TestDatabase(name, client)
  }

  config(changes: ConfigInput = {}): ConfigInput {
    const { host, port, user, password } = inject('services').postgres
    return { host, port, user, password, database: this.name, ...changes }
  }

  open(changes: ConfigInput = {}): Promise<Source> {
    return postgres.open(postgres.config.parse(this.config(changes)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end()
    await onServer((client) => client.query(`DROP DATABASE ${this.name} WITH (FORCE)`))
  }
}

async function onServer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = postgresClient(inject('services').postgres)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

const LIMITS: ReadLimits = {
  readAheadBytes: 8 * 1024 * 1024,
  pageRows: 10_000,
  maxRowBytes: constants.MAX_STRING_LENGTH,
}

export interface ReadOptions {
  readonly since?: string | null
  readonly field?: string
  readonly resume?: Cursor | null
  readonly limits?: Partial<ReadLimits>
  readonly signal?: AbortSignal
}

export function requestOf(table: SourceTable, options: ReadOptions = {}): ReadRequest {
  return {
    table,
    incremental: options.field === undefined ? null : { field: options.field, since: options.since ?? null },
    resume: options.resume ?? null,
    signal: options.signal ?? new AbortController().signal,
    limits: { ...LIMITS, ...options.limits },
    parents: null,
  }
}

export async function tableNamed(source: Source, name: string): Promise<SourceTable> {
  const table = (await source.discover()).find((one) => one.name === name)
  if (table === undefined) throw new Error(`the source offers no table ${name}`)
  return table
}

export async function pagesOf(
  source: Source,
  name: string,
  options: ReadOptions = {},
): Promise<readonly Page[]> {
  const pages: Page[] = []
  for await (const page of source.read(requestOf(await tableNamed(source, name), options))) pages.push(page)
  return pages
}

export async function rowsOf(
  source: Source,
  name: string,
  options: ReadOptions = {},
): Promise<readonly Row[]> {
  return (await pagesOf(source, name, options)).flatMap((page) => page.rows)
}
