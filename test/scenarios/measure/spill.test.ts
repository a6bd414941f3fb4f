import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { SpillWatch } from '../../../scenarios/measure/spill.ts'

test('what was spilled and is gone again is still the peak', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-spill-'))
  using watch = new SpillWatch(folder)
  expect(watch.peakBytes).toBe(0)
  const file = join(folder, 'block')
  await writeFile(file, Buffer.alloc(3_000_000))
  await sleep(500)
  await rm(file)
  expect(watch.peakBytes).toBe(3_000_000)
  await rm(folder, { recursive: true })
})

test('a sort that is larger than the memory limit of DuckDB is seen to spill', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-spill-'))
  using watch = new SpillWatch(folder)
  const settings = { temp_directory: folder, memory_limit: '64MB', threads: 1 }
  await using session = await DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings,
    secrets: [],
  })
  await session.run(
    `CREATE TABLE sorted AS SELECT repeat(md5(CAST(i AS VARCHAR)), 8) AS text FROM range(600000) t(i) ORDER BY text`,
  )
  expect(watch.peakBytes).toBeGreaterThan(10_000_000)
  await rm(folder, { recursive: true, force: true })
})
