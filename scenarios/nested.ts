import type { Point } from '../reports/schema.ts'
import { ImportLake } from './import/import-lake.ts'
import { onePerFormat } from './import/one-per-format.ts'
import { StripeProcess } from './import/stripe-process.ts'
import { assertDone, RunningSync } from './import/sync-command.ts'
import { cost, duration, work } from './measure/metric.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'
import { judged, killMoments } from './stripe-paging.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30
const LINES = 'invoice_line_items'
const PARENTS = ['stored', 'listed'] as const

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const invoices = numberAt(cell.point, 'invoices')
  const expected = await lab.shared(`lines ${cell.arm} ${invoices}`, async () => {
    await using undisturbed = await LinesImport.open(cell, lab)
    await undisturbed.importLines(0)
    return await undisturbed.lake.contents(cell.arm, LINES)
  })
  await using lines = await LinesImport.open(cell, lab)
  if (nameAt(cell.point, 'parents') === 'stored') {
    lab.enter('parents')
    await lines.importParents()
  }
  lab.enter('lines')
  const before = await lines.apiCalls()
  const { wallMs, kills } = await lines.importLines(numberAt(cell.point, 'kills'))
  const apiCalls = (await lines.apiCalls()) - before
  lab.enter('oracle')
  const found = await lines.lake.contents(cell.arm, LINES)
  return {
    metrics: {
      wallMs: duration(wallMs),
      kills: work(kills),
      apiCalls: cost(apiCalls),
      lines: work(Number(found.rows)),
      rowsLost: cost(Math.max(0, Number(expected.keys) - Number(found.keys))),
      rowsDoubled: cost(Number(found.rows) - Number(found.keys)),
    },
    series: {},
    ...judged(found, expected),
  }
}

/** An import of line items into a lake of its own, from a server of its own. */
class LinesImport implements AsyncDisposable {
  readonly lake: ImportLake
  readonly #cell: PlannedCell
  readonly #lab: Lab
  readonly #server: StripeProcess

  private constructor(cell: PlannedCell, lab: Lab, server: StripeProcess, lake: ImportLake) {
    this.#cell = cell
    this.#lab = lab
    this.#server = server
    this.lake = lake
  }

  static async open(cell: PlannedCell, lab: Lab): Promise<LinesImport> {
    const counts = { invoices: numberAt(cell.point, 'invoices') }
    const faults = { latencyMs: parameter(lab.parameters, 'apiLatencyMs') }
    const server = await StripeProcess.start(lab.surroundings.entries.stripeServer, { counts, faults })
    return new LinesImport(cell, lab, server, await ImportLake.open(lab))
  }

  async apiCalls(): Promise<number> {
    const { requests } = await this.#server.stats()
    return Object.values(requests).reduce((sum, count) => sum + count, 0)
  }

  async importParents(): Promise<void> {
    assertDone(await this.#start('invoices').end())
  }

  /** Kills everything at shares of the API calls that an undisturbed import takes, and starts it again. */
  async importLines(wantedKills: number): Promise<{ readonly wallMs: number; readonly kills: number }> {
    const startedAt = performance.now()
    let kills = 0
    for (const share of killMoments(wantedKills, this.#lab.seed + this.#cell.repetition)) {
      const sync = this.#start(LINES)
      const before = await this.apiCalls()
      const target = before + share * Math.max(2, numberAt(this.#cell.point, 'invoices') / 100)
      const ended = sync.end()
      if (await sync.reached(async () => (await this.apiCalls()) >= target)) {
        sync.kill()
        kills += 1
      }
      await ended
    }
    assertDone(await this.#start(LINES).end())
    return { wallMs: performance.now() - startedAt, kills }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lake[Symbol.asyncDispose]()
    await this.#server[Symbol.asyncDispose]()
  }

  #start(table: string): RunningSync {
    const source = ['--source', 'stripe', '--set', `baseUrl=${this.#server.url}`, '--table', table]
    const args = [...source, '--partition', 'none', '--to', this.#cell.arm]
    return new RunningSync(this.#lab, { args, env: this.lake.variables })
  }
}

interface Size {
  readonly apiLatencyMs: number
  readonly invoices: readonly number[]
  readonly kills: readonly number[]
  readonly minutes: number
}

function sized({ apiLatencyMs, invoices, kills, minutes }: Size): ProfileSpec {
  return {
    axes: { parents: PARENTS, invoices, kills },
    parameters: { apiLatencyMs },
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters) {
  const pages = numberAt(point, 'invoices') / 100
  const wallMs =
    8_000 + pages * (parameter(parameters, 'apiLatencyMs') + 30) + numberAt(point, 'kills') * 6_000
  const diskBytes = numberAt(point, 'invoices') * 8_000
  return {
    shared: { wallMs, memoryBytes: 2 * GIB, diskBytes },
    cell: { wallMs: 2 * wallMs, memoryBytes: 2 * GIB, diskBytes: 2 * diskBytes },
  }
}

export const nested: Scenario = {
  name: 'nested',
  question: 'Are line items imported sooner from the stored invoices, or by listing the invoices again?',
  description:
    'Imports invoice line items with the official client, their invoices taken from the table that is stored already or listed from the API; then with kills.',
  measures:
    'API calls, time to done, rows lost and doubled; over the number of invoices, from where on the stored table is cheaper',
  axes: [
    {
      name: 'parents',
      unit: null,
      description: 'where the invoices are taken from',
      accepts: (value) => PARENTS.some((name) => name === value),
    },
    {
      name: 'invoices',
      unit: 'rows',
      description: 'invoices whose lines are imported',
      accepts: (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000_000,
    },
    {
      name: 'kills',
      unit: null,
      description: 'how often the whole import of the lines is killed',
      accepts: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100,
    },
  ],
  profiles: {
    smoke: sized({ apiLatencyMs: 5, invoices: [800], kills: [0], minutes: 2 }),
    quick: sized({ apiLatencyMs: 5, invoices: [800, 3_000], kills: [0], minutes: 4 }),
    standard: sized({ apiLatencyMs: 20, invoices: [400, 2_000, 10_000], kills: [0, 1], minutes: 10 }),
    full: sized({
      apiLatencyMs: 100,
      invoices: [400, 2_000, 10_000, 100_000],
      kills: [0, 1, 5],
      minutes: 60,
    }),
  },
  excludes: (arm, point, profile) => {
    if (profile === 'standard' && numberAt(point, 'kills') > 0 && numberAt(point, 'invoices') !== 2_000)
      return 'the standard profile kills at one size'
    if (profile === 'smoke' && nameAt(point, 'parents') === 'listed')
      return 'the smoke profile reads stored parents'
    return onePerFormat(arm)
  },
  estimate,
  run,
}
