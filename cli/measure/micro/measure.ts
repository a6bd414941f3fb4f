import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { loadConfig } from '../../../platform/config/load.ts'
import { dropSchemas } from '../../../platform/services/postgres/schemas.ts'
import { needsLocalMinio } from '../../../platform/services/servers.ts'
import { type Services, startServices } from '../../../platform/services/services.ts'
import { ensureSetup } from '../../../platform/setup/setup.ts'
import { type Cell, cellId, type Results } from '../../../reports/schema.ts'
import { circumstance, duration, work } from '../../../scenarios/measure/metric.ts'
import { newResults } from '../../bench/results.ts'
import { type MicroMeasured, type MicroRequest, microMeasuredSchema } from './protocol.ts'

export interface MicroOptions {
  readonly repeat: number
  /** For each benchmark in each repetition. */
  readonly timeMs: number
  /** What to type to repeat it. */
  readonly command: string
}

const SCENARIO = 'micro'
/** No engine is compared here: what differs is the piece. */
const ARM = 'lakeduel/itself'

/**
 * Runs all micro-benchmarks in a fresh process for each repetition. The results are like those of any run: `lakeduel compare`
 * and `lakeduel gate` hold the repetitions of two of them against each other.
 */
export async function measureMicro(
  { repeat, timeMs, command }: MicroOptions,
  signal: AbortSignal,
  report: (text: string) => void,
): Promise<Results> {
  const config = await loadConfig()
  await ensureSetup(config.home, {
    minio: await needsLocalMinio(config),
    engines: config.engines,
    signal,
  })
  const runId = `micro-${process.pid.toString(36)}`
  await using services = await startServices(config, { runId, signal, report })
  const cells: Cell[] = []
  for (let repetition = 0; repetition < repeat; repetition += 1) {
    const schema = `lakeduel_micro_${process.pid}_${repetition}`
    try {
      const request = { postgres: services.postgres, schema, timeMs }
      for (const measured of await inOwnProcess(request, signal))
        cells.push(cellOf(measured, repetition, cells.length))
    } finally {
      await dropSchemas(services.postgres, [schema, `${schema}_queue`])
    }
    report(`[${repetition + 1}/${repeat}]`)
  }
  return await resultsOf(cells, { repeat, timeMs, command }, runId, services)
}

async function inOwnProcess(request: MicroRequest, signal: AbortSignal): Promise<readonly MicroMeasured[]> {
  const entry = new URL(`../../processes/micro${import.meta.url.slice(-3)}`, import.meta.url)
  const child = execa(process.execPath, [entry.pathname], {
    input: JSON.stringify(request),
    stderr: 'inherit',
    cancelSignal: signal,
    buffer: false,
  })
  const measured: MicroMeasured[] = []
  for await (const line of createInterface({ input: child.stdout }))
    measured.push(microMeasuredSchema.parse(JSON.parse(line)))
  await child
  return measured
}

function cellOf({ name, medianMs, p99Ms, runs }: MicroMeasured, repetition: number, order: number): Cell {
  const identity = { scenario: SCENARIO, arm: ARM, point: { piece: name }, repetition, control: false }
  return {
    ...identity,
    id: cellId(identity),
    order,
    startedAt: new Date().toISOString(),
    settings: {},
    status: 'ok',
    phases: {},
    metrics: { medianMs: duration(medianMs), p99Ms: circumstance(p99Ms, 'ms', 'time'), runs: work(runs) },
    series: {},
    oracle: null,
  }
}

async function resultsOf(
  cells: readonly Cell[],
  { repeat, timeMs, command }: MicroOptions,
  runId: string,
  services: Services,
): Promise<Results> {
  const pieces = [...new Set(cells.map(({ point }) => point['piece'] ?? ''))]
  const plan = {
    scenarios: [SCENARIO],
    arms: [ARM],
    profile: SCENARIO,
    axes: {},
    control: false,
    network: 'loopback',
    repeat,
    memoryCap: null,
    seed: 1,
  }
  const empty = await newResults({ command, plan, runId, services, network: null })
  return {
    ...empty,
    run: { ...empty.run, finishedAt: new Date().toISOString() },
    scenarios: [
      {
        name: SCENARIO,
        question: 'How long does each piece take that a row goes through?',
        axes: [{ name: 'piece', unit: null, description: 'what is done again and again', values: pieces }],
        parameters: { timeMs },
        memoryCapBytes: null,
        repeat,
        arms: [ARM],
        data: {},
      },
    ],
    cells: [...cells],
  }
}
