import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../platform/errors.ts'
import type { ListedRun } from '../../reports/html/runs.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'
import { versionOf, writtenAtMs } from './live-results.ts'

/** A cell may take so long before its run writes again. */
const SILENCE_MS = 30 * 60_000
/** A refresh begins to read no further run after so long; the next one goes on. */
const READING_MS = 1_000

type Told = Pick<ListedRun, 'startedAt' | 'what' | 'cells'> & {
  readonly state: 'unread' | 'done' | 'open' | 'unreadable'
}

interface Known {
  /** Of its files when they were read. */
  readonly version: string
  readonly told: Told
  readonly listed: ListedRun
}

const UNREAD: Told = { startedAt: null, what: '', cells: null, state: 'unread' }

/** The runs in the folders of a folder. Each is read when its files have changed, and only then. */
export class RunsIndex {
  readonly #folder: string
  readonly #known = new Map<string, Known>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The newest first, as of the last refresh. */
  get listed(): readonly ListedRun[] {
    const placeOf = ({ startedAt, name }: ListedRun) => startedAt ?? name
    return [...this.#known.values()]
      .map(({ listed }) => listed)
      .toSorted((a, b) => placeOf(b).localeCompare(placeOf(a)))
  }

  /** Another text whenever the list is another one. */
  get version(): string {
    return createHash('sha256').update(JSON.stringify(this.listed)).digest('hex')
  }

  pathOf(name: string): string | null {
    return this.#known.has(name) ? join(this.#folder, name) : null
  }

  /** One run after the other: those of a year side by side would not fit into memory. Folders are named by date: the newest first. */
  async refresh(): Promise<void> {
    const untilMs = Date.now() + READING_MS
    const entries = await readdir(this.#folder, { withFileTypes: true })
    const names = new Set(entries.filter((entry) => !entry.isFile()).map(({ name }) => name))
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name)
    for (const name of [...names].toSorted().toReversed()) await this.#refreshOne(name, untilMs)
  }

  async #refreshOne(name: string, untilMs: number): Promise<void> {
    const path = join(this.#folder, name)
    const version = await versionOf(path)
    if (version === '') {
      this.#known.delete(name)
      return
    }
    const known = this.#known.get(name) ?? { version: '', told: UNREAD }
    const read =
      known.version === version || Date.now() >= untilMs ? known : { version, told: await tell(path) }
    const { state, ...rest } = read.told
    const listed = { name, ...rest, status: statusOf(state, await writtenAtMs(path)) }
    this.#known.set(name, { ...read, listed })
  }
}

async function tell(path: string): Promise<Told> {
  try {
    const results = await readResults(path)
    return { ...describe(results), state: results.run.finishedAt === null ? 'open' : 'done' }
  } catch (error) {
    return { startedAt: null, what: messageOf(error), cells: null, state: 'unreadable' }
  }
}

function describe({ run, cells }: Results): Omit<Told, 'state'> {
  const { profile, scenarios } = run.plan
  return { startedAt: run.startedAt, what: `${profile}: ${scenarios.join(', ')}`, cells: cells.length }
}

function statusOf(state: Told['state'], writtenAt: number | null): ListedRun['status'] {
  if (state !== 'open') return state
  return writtenAt !== null && Date.now() - writtenAt < SILENCE_MS ? 'running' : 'silent'
}
