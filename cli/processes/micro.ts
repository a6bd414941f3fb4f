// One repetition of all micro-benchmarks, in a fresh process, since compiled code and the heap of an earlier one would show.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Bench } from 'tinybench'
import { openState } from '../../pipeline/state/store.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { benchmarksOf } from '../measure/micro/benchmarks.ts'
import { type MicroMeasured, microRequestSchema } from '../measure/micro/protocol.ts'

const { postgres, schema, timeMs } = microRequestSchema.parse(JSON.parse(await text(process.stdin)))
const folder = await mkdtemp(join(tmpdir(), 'lakeduel-micro-'))
try {
  await using duckdb = await DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings: { threads: 1 },
    secrets: [],
  })
  await using state = await openState(postgres, { schema })
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, throws: true })
  for (const { name, run } of await benchmarksOf({ folder, duckdb, state })) bench.add(name, run)
  for (const { name, result } of await bench.run()) {
    if (result.state !== 'completed') throw new Error(`${name} ended as ${result.state}`)
    const { p50, p99, samplesCount } = result.latency
    const measured: MicroMeasured = { name, medianMs: p50, p99Ms: p99, runs: samplesCount }
    process.stdout.write(`${JSON.stringify(measured)}\n`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
