import { parseSourceConfig, type RawConfig } from '../config.ts'
import { classify } from '../errors.ts'
import { secretsOf } from '../secrets.ts'
import type { ReadRequest, Source, SourceDefinition, SourceTable } from '../source.ts'
import { fail, type TableFinding } from './check.ts'
import { type Recording, record } from './recording.ts'

export interface ContractOptions {
  /** Decides which cursors of a large table are tried. */
  readonly seed: number
  /** A table is looked at no further than this. */
  readonly maxRows: number
  readonly maxBytes: number
  /** Cursors that are tried; all of them where a table has no more. */
  readonly cursors: number
  readonly pageRows: number
  /** What a page may hold in the check of that bound; a table with less shows nothing of it. */
  readonly readAheadBytes: number
  /** Within this a page must come. */
  readonly pageTimeoutMs: number
  /** Within this an aborted read must end. */
  readonly abortMs: number
}

const DEFAULTS: ContractOptions = {
  seed: 1,
  maxRows: 100_000,
  maxBytes: 256 * 1024 * 1024,
  cursors: 25,
  pageRows: 10_000,
  readAheadBytes: 1024 * 1024,
  pageTimeoutMs: 60_000,
  abortMs: 2_000,
}
/** More than any page of a source under test holds. */
export const NO_BYTE_BOUNDS = {
  readAheadBytes: Number.MAX_SAFE_INTEGER,
  maxRowBytes: Number.MAX_SAFE_INTEGER,
} as const

/** What a check may ask of a read; all else is the same for every one. */
export type ReadVariant = Partial<Pick<ReadRequest, 'incremental' | 'resume' | 'signal' | 'limits'>>

/** A source under test, and what was read of it so far: checks share their readings. */
export class ContractSubject {
  readonly definition: SourceDefinition
  readonly config: RawConfig
  readonly options: ContractOptions
  readonly secrets: readonly string[]
  readonly #chosen: readonly string[] | null
  readonly #signal: AbortSignal
  readonly #recordings = new Map<string, Promise<Recording>>()
  #tables: Promise<readonly SourceTable[]> | null = null

  /**
   * @param config as it stands in a config file, secrets included
   * @param tables the ones to look at; null for all
   */
  constructor(
    definition: SourceDefinition,
    config: RawConfig,
    options: Partial<ContractOptions> & {
      readonly tables?: readonly string[] | null
      readonly signal?: AbortSignal
    } = {},
  ) {
    const { tables = null, signal = new AbortController().signal, ...rest } = options
    this.definition = definition
    this.config = config
    this.options = { ...DEFAULTS, ...rest }
    this.secrets = secretsOf(definition, config)
    this.#chosen = tables
    this.#signal = signal
  }

  /** Opens the source as a new process would. */
  open(config: RawConfig = this.config): Promise<Source> {
    return this.definition.open(parseSourceConfig(this.definition, config))
  }

  /** The tables that are looked at, as they were first discovered. */
  tables(): Promise<readonly SourceTable[]> {
    this.#tables ??= this.discover().then((all) =>
      all.filter(({ name }) => this.#chosen === null || this.#chosen.includes(name)),
    )
    return this.#tables
  }

  /** All tables, discovered anew. */
  async discover(): Promise<readonly SourceTable[]> {
    await using source = await this.open()
    return await source.discover()
  }

  /** A reading of a table from its beginning: of all of it, or of an incremental field from its beginning. */
  recording(table: SourceTable, field: string | null): Promise<Recording> {
    const key = JSON.stringify([table.name, field])
    const known = this.#recordings.get(key)
    if (known !== undefined) return known
    const made = this.read(table, { incremental: field === null ? null : { field, since: null } })
    this.#recordings.set(key, made)
    return made
  }

  /** Reads with a source of its own. */
  async read(table: SourceTable, variant: ReadVariant, maxRows = this.options.maxRows): Promise<Recording> {
    await using source = await this.open()
    const { maxBytes, pageTimeoutMs } = this.options
    return await record(source, this.request(table, variant), { maxRows, maxBytes, pageTimeoutMs })
  }

  request(table: SourceTable, variant: ReadVariant): ReadRequest {
    return {
      table,
      incremental: null,
      resume: null,
      signal: this.#signal,
      limits: { ...NO_BYTE_BOUNDS, pageRows: this.options.pageRows },
      parents: null,
      ...variant,
    }
  }

  /** What the source threw, as a finding. */
  failure(error: unknown): TableFinding {
    const { class: failureClass, code, message } = classify(this.definition, error, this.secrets)
    return fail(`It failed with ${code}, of class ${failureClass}: ${message}`)
  }
}
