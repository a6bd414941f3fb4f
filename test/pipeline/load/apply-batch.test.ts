import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import type { ApplyMode, CommitTag, StagedBatch } from '../../../backends/backend.ts'
import { applyBatch, type BatchWork, type Carry } from '../../../pipeline/load/apply-batch.ts'
import type { LoadRequest } from '../../../pipeline/load/protocol.ts'
import { rangesOf } from '../../../pipeline/load/slice.ts'
import { LakeduelError } from '../../../platform/errors.ts'

/**
 * A table that keeps its commits as backends do: rows with a tag, in one step. A pod that it is loaded by takes so many
 * rows at once, can't take some rows at all, and may be killed after it has committed and before it has said so.
 */
class ModelTable {
  readonly rows: number[] = []
  readonly progress = new Map<string, number>()
  readonly #capacity: number
  readonly #monsters: ReadonlySet<number>
  readonly #dies: () => boolean

  constructor(capacity: number, monsters: ReadonlySet<number>, dies: () => boolean) {
    this.#capacity = capacity
    this.#monsters = monsters
    this.#dies = dies
  }

  readonly carry: Carry = async <T>(request: LoadRequest, result: z.ZodType<T>) =>
    result.parse(this.#answer(request))

  #answer(request: LoadRequest): unknown {
    switch (request.verb) {
      case 'apply':
        return this.#apply(request)
      case 'progress':
        return {
          applied: (this.progress.get(request.tag.runId) ?? -1) >= request.tag.batchIndex,
          slicedThrough: this.progress.get(request.slicedAs) ?? null,
        }
      case 'slice':
        return {
          batch: partsOf(rowsOf(request.batch).slice(request.fromRow, request.toRow)),
          firstKey: { id: String(rowsOf(request.batch)[request.fromRow]) },
        }
      default:
        throw new Error(`nothing is to be done with ${request.verb}`)
    }
  }

  #apply({ batch, tag, unlessSlicedAs, fromRow }: Extract<LoadRequest, { verb: 'apply' }>): unknown {
    const sliced = unlessSlicedAs === null ? null : (this.progress.get(unlessSlicedAs) ?? null)
    if (sliced !== null) return { ...APPLIED, slicedThrough: sliced }
    const through = this.progress.get(tag.runId)
    if (fromRow !== null && (through ?? 0) !== fromRow && through !== tag.batchIndex)
      throw new LakeduelError('SLICE_MOVED', 'moved')
    const rows = rowsOf(batch)
    if (rows.length > this.#capacity || rows.some((row) => this.#monsters.has(row))) throw outOfMemory()
    if ((through ?? -1) < tag.batchIndex) {
      this.rows.push(...rows)
      this.progress.set(tag.runId, tag.batchIndex)
    }
    if (rows.length > 0 && this.#dies()) throw outOfMemory()
    return APPLIED
  }
}

const APPLIED = {
  slicedThrough: null,
  alreadyApplied: false,
  rowsRead: 0,
  rowsInserted: 0,
  rowsUpdated: 0,
  commits: 1,
  attempts: 1,
  version: '1',
  addedColumns: [],
  widenedColumns: [],
}

function outOfMemory(): LakeduelError {
  return new LakeduelError('ENGINE_OUT_OF_MEMORY', 'killed at its cap')
}

/** The rows of a part are in its URI. */
function partsOf(rows: readonly number[]): StagedBatch {
  return { parts: [{ uri: rows.join(','), rows: rows.length, bytes: 1, payloadBytes: rows.length }] }
}

function rowsOf({ parts }: StagedBatch): readonly number[] {
  return parts.flatMap(({ uri }) => (uri === '' ? [] : uri.split(',').map(Number)))
}

function workOf(rows: number, failedTries: number, tag: CommitTag, mode: ApplyMode = 'append'): BatchWork {
  const target = { table: 't', shadowOf: null, columns: [], primaryKey: ['id'], partitionBy: null }
  return {
    target,
    batch: partsOf(Array.from({ length: rows }, (_, row) => row)),
    mode,
    tag,
    slicePrefix: '',
    failedTries,
  }
}

test('whatever a pod can take and whenever it dies, each row is applied once or told as one that can’t be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 70 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 4 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      fc.integer({ min: 0, max: 3 }),
      async (rows, capacity, monsters, deaths, failedTries) => {
        const fatal = new Set(monsters.filter((row) => row < rows))
        const table = new ModelTable(capacity, fatal, () => deaths.shift() ?? false)
        const tag = { runId: 'run', batchIndex: 7 }
        const { unloadable } = await applyBatch(workOf(rows, failedTries, tag), table.carry)
        expect(unloadable.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual(
          [...fatal].toSorted((a, b) => a - b),
        )
        expect(table.rows).toEqual(
          Array.from({ length: rows }, (_, row) => row).filter((row) => !fatal.has(row)),
        )
        expect(table.progress.get('run')).toBe(7)
      },
    ),
    { numRuns: 500 },
  )
})

test('a loader that goes on where another one was killed applies what that one left, and nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (rows, capacity, requestsUntilKilled, failedTries) => {
        const table = new ModelTable(capacity, new Set(), () => false)
        let left = requestsUntilKilled
        const dying: Carry = (request, result) => {
          left -= 1
          return left < 0 ? Promise.reject(new Error('killed')) : table.carry(request, result)
        }
        const tag = { runId: 'run', batchIndex: 0 }
        await applyBatch(workOf(rows, 0, tag), dying).catch(() => undefined)
        await applyBatch(workOf(rows, failedTries, tag), table.carry)
        expect(table.rows).toEqual(Array.from({ length: rows }, (_, row) => row))
      },
    ),
    { numRuns: 500 },
  )
})

test('rows of a batch are found in its parts', () => {
  const parts = [4, 0, 3].map((rows, index) => ({ uri: `p${index}`, rows, bytes: 1, payloadBytes: rows }))
  const ranges = rangesOf(parts, 3, 6).map(({ part, fromRow, toRow }) => [part.uri, fromRow, toRow])
  expect(ranges).toEqual([
    ['p0', 3, 4],
    ['p2', 0, 2],
  ])
})
