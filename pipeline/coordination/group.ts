import { once } from 'node:events'
import type {
  Coordinator,
  CoordinatorOptions,
  SharedBatch,
  SharedResult,
  SharedTable,
} from './coordinator.ts'
import { Leader } from './leader.ts'
import { LockCoordinator } from './lock.ts'
import { replay } from './replay.ts'
import { concerns, Requests } from './requests.ts'
import { LastingSession, Session } from './session.ts'
import { evictStaleHolders, lockKey, whileHolding } from './table-lock.ts'

/** How often a writer looks by itself: for a leader that ended without a word. */
const POLL_MS = 500

/**
 * `group`: a writer leaves its batch as a request, and whoever gets the table's lock commits those of all. A leader does so
 * until its own is settled, and then another one is. What a killed leader had not settled, the next one finds waiting.
 */
export class GroupCoordinator implements Coordinator {
  readonly kind = 'group'
  readonly #options: CoordinatorOptions
  readonly #session: LastingSession
  readonly #leader: Leader
  /** Of the same locks, by a session of its own. */
  readonly #alone: LockCoordinator

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#session = new LastingSession(openSession(options))
    this.#leader = new Leader(options)
    this.#alone = new LockCoordinator(options)
  }

  async apply(table: SharedTable, shared: SharedBatch): Promise<SharedResult> {
    return replay(this.#options.replay, async () => this.#applyOnce(table, shared))
  }

  alone<T>(uri: string, action: () => Promise<T>): Promise<T> {
    return this.#alone.alone(uri, action)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#alone[Symbol.asyncDispose]()
    await this.#session[Symbol.asyncDispose]()
  }

  async #applyOnce(table: SharedTable, shared: SharedBatch): Promise<SharedResult> {
    const session = await this.#session.get()
    const key = lockKey(table.uri)
    const requests = new Requests(session, key)
    // Before the request is there, so that nothing that is said of it is missed.
    await requests.listen()
    let requestId = await requests.submit(shared)
    for (;;) {
      const heard = nextOf(session, requests.channel, requestId)
      const { outcome, exists, leads } = await requests.takeOutcomeOrLead(requestId)
      if (outcome?.status === 'committed') return outcome
      if (outcome?.status === 'refused') return this.#alone.apply(table, shared)
      if (leads) {
        await this.#lead(session, table, requests, requestId)
        continue
      }
      if (!exists) requestId = await requests.submit(shared)
      if (!(await heard)) await evictStaleHolders(session, [key], this.#options.staleMs)
    }
  }

  async #lead(session: Session, table: SharedTable, requests: Requests, requestId: string): Promise<void> {
    try {
      await whileHolding(session, this.#options.staleMs, () => this.#leader.lead(table, requests, requestId))
    } finally {
      // A session that was lost can tell nobody, and then they look by themselves.
      if (!session.lost.aborted) await requests.announceFree()
    }
  }
}

function openSession({ postgres }: CoordinatorOptions): () => Promise<Session> {
  return async () => {
    const session = await Session.open(postgres)
    await Requests.install(session)
    return session
  }
}

/** Resolves to whether something was said that concerns the request, which is awaited from now on. */
async function nextOf(session: Session, channel: string, requestId: string): Promise<boolean> {
  const until = AbortSignal.any([AbortSignal.timeout(POLL_MS), session.lost])
  try {
    for (;;) {
      const [payload] = await once(session.heard, channel, { signal: until })
      if (concerns(String(payload), requestId)) return true
    }
  } catch {
    return false
  }
}
