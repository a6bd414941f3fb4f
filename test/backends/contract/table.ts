import { randomUUID } from 'node:crypto'
import pRetry from 'p-retry'
import { expect } from 'vitest'
import type {
  ApplyMode,
  ApplyResult,
  Backend,
  CommitTag,
  LakeTable,
  StagedBatch,
  TablePlace,
  TaggedBatch,
} from '../../../backends/backend.ts'
import type { TableSpec } from '../../../backends/schema.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { TestLake } from './lake.ts'
import { sorted, TableModel } from './model.ts'
import type { ApplyRequest } from './process.ts'
import type { Row } from './rows.ts'
import type { PartContent } from './staging.ts'

/** A table with the model of what it must hold. */
export class TestTable {
  readonly lake: TestLake
  readonly model: TableModel
  readonly runId = `run-${randomUUID()}`
  readonly place: TablePlace
  handle: LakeTable
  #batches = 0

  constructor(lake: TestLake, spec: TableSpec, handle: LakeTable, place: TablePlace) {
    this.lake = lake
    this.model = new TableModel(spec)
    this.handle = handle
    this.place = place
  }

  get spec(): TableSpec {
    return this.model.spec
  }

  /** The tag of the next batch of the table's own run. */
  nextTag(): CommitTag {
    this.#batches += 1
    return { runId: this.runId, batchIndex: this.#batches - 1 }
  }

  async stage(...parts: readonly (readonly Row[] | PartContent)[]): Promise<StagedBatch> {
    const contents = parts.map((part) => ({
      columns: this.spec.columns,
      types: {},
      ...('rows' in part ? part : { rows: part }),
    }))
    const staged: StagedBatch['parts'] = []
    for (const content of contents) staged.push(await this.lake.stage(content))
    return { parts: staged }
  }

  /** Stages the parts, applies them as the next batch, and lets the model do the same. */
  async apply(mode: ApplyMode, ...parts: readonly (readonly Row[] | PartContent)[]): Promise<ApplyResult> {
    const result = await this.handle.apply(await this.stage(...parts), mode, this.nextTag())
    this.model.apply(
      mode,
      parts.flatMap((part) => ('rows' in part ? part.rows : part)),
    )
    return result
  }

  append(...parts: readonly (readonly Row[] | PartContent)[]): Promise<ApplyResult> {
    return this.apply('append', ...parts)
  }

  upsert(...parts: readonly (readonly Row[] | PartContent)[]): Promise<ApplyResult> {
    return this.apply('upsert', ...parts)
  }

  replace(...parts: readonly (readonly Row[] | PartContent)[]): Promise<ApplyResult> {
    return this.apply('replace', ...parts)
  }

  stored(): Promise<readonly Row[]> {
    return this.lake.read(this.spec)
  }

  async expectStored(): Promise<void> {
    expect(sorted(await this.stored())).toEqual(sorted(this.model.rows))
  }

  /** Closes the handle and opens the table again. */
  async reopen(backend?: Backend): Promise<void> {
    await this.handle.close()
    this.handle = await (backend ?? (await this.lake.backend())).open(this.spec, this.place)
  }

  requestOf(batch: StagedBatch, mode: ApplyMode, tag: CommitTag): ApplyRequest {
    return this.requestTogether([{ batch, tag }], mode)
  }

  requestTogether(batches: readonly TaggedBatch[], mode: ApplyMode): ApplyRequest {
    const { arm, environment } = this.lake
    return { verb: 'apply', arm, environment, spec: this.spec, batches, mode }
  }
}

export function applyThroughConflicts(
  handle: LakeTable,
  batch: StagedBatch,
  mode: ApplyMode,
  tag: CommitTag,
): Promise<ApplyResult> {
  return throughConflicts(() => handle.apply(batch, mode, tag))
}

/** Does what the contract tells its callers to: calls again, as long as another writer was first. */
export function throughConflicts<T>(call: () => Promise<T>): Promise<T> {
  return pRetry(call, {
    retries: 20,
    minTimeout: 20,
    maxTimeout: 500,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof LakeduelError && error.kind === 'conflict',
  })
}
