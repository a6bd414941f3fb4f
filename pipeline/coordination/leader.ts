import type { ApplyResult, LakeTable } from '../../backends/backend.ts'
import { faultPoint } from '../faults.ts'
import { attempt } from './attempts.ts'
import type { CoordinatorOptions, SharedTable } from './coordinator.ts'
import { isConflict, isPassing, replay } from './replay.ts'
import type { Outcome, Requests, WaitingRequest } from './requests.ts'

/** Far below what one commit can carry the tags of. */
const MAX_BATCHES = 256

/** Commits the requests of a table, for the writer that has its lock. */
export class Leader {
  readonly #options: CoordinatorOptions
  /** What was evolved for already, by the handle that knows of it. */
  readonly #known = new WeakMap<LakeTable, Set<string>>()

  constructor(options: CoordinatorOptions) {
    this.#options = options
  }

  /** Returns when the request is settled, whoever did it. Throws what concerns no request but this process. */
  async lead({ handle }: SharedTable, requests: Requests, requestId: string): Promise<void> {
    for (;;) {
      const waiting = await requests.waiting(MAX_BATCHES)
      const settled = !waiting.some((request) => request.requestId === requestId)
      if (settled && waiting.length < MAX_BATCHES) return
      const group = groupOf(waiting, this.#options.maxGroupPayloadBytes)
      await faultPoint('group-taken')
      const outcomes = await this.#commit(handle, group)
      await faultPoint('group-committed')
      await requests.settle(outcomes)
    }
  }

  /**
   * One commit for all; where that fails for good, one for each half, so that a batch that can't be applied, or that is too
   * much for the memory together with others, keeps nobody from being committed. What fails by itself is left to its own
   * writer, since the leader may be the cause.
   */
  async #commit(handle: LakeTable, group: readonly WaitingRequest[]): Promise<ReadonlyMap<string, Outcome>> {
    try {
      return committed(
        group,
        await replay(this.#options.replay, () => this.#attempt(handle, group), { isWorthIt: isConflict }),
      )
    } catch (error) {
      if (isPassing(error)) throw error
      if (group.length === 1) return new Map(group.map(({ requestId }) => [requestId, { status: 'refused' }]))
    }
    const half = Math.ceil(group.length / 2)
    const left = await this.#commit(handle, group.slice(0, half))
    return new Map([...left, ...(await this.#commit(handle, group.slice(half)))])
  }

  async #attempt(handle: LakeTable, group: readonly WaitingRequest[]): Promise<ApplyResult> {
    for (const { columns } of group) await this.#evolve(handle, columns)
    const batches = group.map(({ batch, tag }) => ({ batch, tag }))
    return attempt(handle, batches, group[0]?.mode ?? 'append', this.#options.observe)
  }

  async #evolve(handle: LakeTable, columns: WaitingRequest['columns']): Promise<void> {
    const asked = JSON.stringify(columns)
    const known = this.#known.get(handle) ?? new Set<string>()
    if (columns.length === 0 || known.has(asked)) return
    await handle.evolve(columns)
    this.#known.set(handle, known.add(asked))
  }
}

/**
 * The oldest request, and those that go with it: of the same mode, each of a run of its own, and no more bytes together
 * than allowed.
 */
export function groupOf(
  waiting: readonly WaitingRequest[],
  maxPayloadBytes: number,
): readonly WaitingRequest[] {
  const group: WaitingRequest[] = []
  const runs = new Set<string>()
  let payloadBytes = 0
  for (const request of waiting) {
    const { runId } = request.tag
    const fits = request.mode === (group[0]?.mode ?? request.mode) && !runs.has(runId)
    runs.add(runId)
    if (!fits) continue
    payloadBytes += request.payloadBytes
    if (group.length > 0 && payloadBytes > maxPayloadBytes) break
    group.push(request)
  }
  return group
}

function committed(
  group: readonly WaitingRequest[],
  { version, alreadyAppliedEach }: ApplyResult,
): ReadonlyMap<string, Outcome> {
  const batchesTogether = alreadyAppliedEach.filter((each) => !each).length
  return new Map(
    group.map(({ requestId }, index) => {
      const alreadyApplied = alreadyAppliedEach[index] === true
      return [requestId, { status: 'committed', alreadyApplied, version, batchesTogether }]
    }),
  )
}
