import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import type { Arm } from '../../../backends/backend.ts'
import { STATE_DEFAULTS } from '../../../pipeline/state/store.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { ConnectionFaults } from '../../../scenarios/import/connection-faults.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'

const AWAY_MS = 400
const THERE_MS = 900

/** Answers 503 in bursts until it is aborted; returns how many there were. */
async function inBursts(faults: ConnectionFaults, until: AbortSignal): Promise<number> {
  let bursts = 0
  for (; !until.aborted; bursts += 1) {
    await sleep(THERE_MS)
    faults.setUnavailable(true)
    await sleep(AWAY_MS)
    faults.setUnavailable(false)
  }
  return bursts
}

test.each<Arm>(['ducklake/merge', 'delta/merge-loop'])(
  'an object store that answers 503 in bursts all the time delays a sync to %s and costs no row',
  async (arm) => {
    await using lake = await TestLake.open()
    const url = new URL(inject('services').s3.url)
    await using faults = await ConnectionFaults.before(url.hostname, Number(url.port))
    const table = { name: 'events', rows: 6_000, pageRows: 500, columns: ['int64', 'json'], duplicates: 0.2 }
    const source = await lake.source('synthetic', { tables: [table] })
    const flags = ['--table', 'events', '--to', arm, '--mode', 'full-refresh', '--partition', 'md5:id:4']
    const sync = ['sync', ...source, ...flags, '--batch-rows', '1500', '--retry-backoff', '200ms', '--json']
    const ended = new AbortController()
    const running = lake.run(sync, { LAKEDUEL_S3_ENDPOINT: `http://127.0.0.1:${faults.port}` })
    // A sync that finds no store when it begins is refused; from its first line on it has begun.
    const bursts = once(running.stderr, 'data').then(() => inBursts(faults, ended.signal))
    const run = await running
    ended.abort()
    expect(await bursts).toBeGreaterThan(1)
    expect(outcomeOf(run), run.stderr).toMatchObject({
      status: 'done',
      tables: [{ counts: { rowsDead: 0 } }],
    })
    // A part that was written over is found here also where its batch had been loaded before.
    const parts = await recordedParts(lake)
    expect(new Set(parts).size).toBe(parts.length)
    const undisturbed = await lake.run(['sync', ...source, ...flags, '--as', 'undisturbed', '--json'])
    expect(undisturbed.exitCode, undisturbed.stderr).toBe(0)
    expect(await lake.contents(arm, 'events')).toEqual(await lake.contents(arm, 'undisturbed'))
  },
  240_000,
)

/** The parts of all batches, which each have their own. */
async function recordedParts(lake: TestLake): Promise<readonly string[]> {
  return withPostgres(lake.environment().catalog.postgres, async (client) => {
    const { rows } = await client.query<{ uri: string }>(
      `SELECT part->>'uri' AS uri FROM ${STATE_DEFAULTS.schema}.work, json_array_elements(record->'parts') AS part`,
    )
    return rows.map(({ uri }) => uri)
  })
}
