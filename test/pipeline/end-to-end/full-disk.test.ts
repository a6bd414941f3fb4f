import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Arm, formatOf } from '../../../backends/backend.ts'
import { openReader, relationOf } from '../../../backends/reader.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'

/** A disk of its own, for who may mount one. */
class SmallDisk implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async open(path: string, mebibytes: number): Promise<SmallDisk | null> {
    await mkdir(path)
    const { exitCode } = await execa('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], {
      reject: false,
    })
    return exitCode === 0 ? new SmallDisk(path) : null
  }

  async grow(mebibytes: number): Promise<void> {
    await execa('mount', ['-o', `remount,size=${mebibytes}m`, this.path])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execa('umount', ['--lazy', this.path])
  }
}

test.for<[filled: string, arm: Arm, mebibytes: number]>([
  ['by staged parts and DuckLake', 'ducklake/delete-insert', 4],
  ['by a table of Delta', 'delta/merge', 14],
])(
  'a disk that is filled %s ends the sync with 5, and more room goes on where it stopped',
  { timeout: 240_000 },
  async ([, arm, mebibytes], { skip }) => {
    await using lake = await TestLake.open()
    await using disk = await SmallDisk.open(join(lake.folder, 'disk'), mebibytes)
    if (disk === null) return skip('only root may mount a small disk')
    const table = { name: 'events', rows: 30_000, widthBytes: 400, columns: ['binary'], nulls: 0 }
    const source = await lake.source('synthetic', { tables: [table] })
    const flags = [
      '--table',
      'events',
      '--to',
      arm,
      '--storage',
      'local',
      '--batch-rows',
      '6000',
      '--mode',
      'append',
    ]
    const sync = ['sync', ...source, ...flags, '--retry-backoff', '100ms', '--json']
    const local = { LAKEDUEL_LOCAL_ROOT: disk.path }
    const full = await lake.run(sync, local)
    expect(full.exitCode, full.stderr).toBe(5)
    const { failure } = outcomeOf(full).tables[0] ?? {}
    expect(failure).toMatchObject({ class: 'user', code: expect.stringMatching(/disk_full/i) })
    await disk.grow(400)
    const resumed = await lake.run(sync, local)
    expect(resumed.exitCode, resumed.stderr).toBe(0)
    expect(outcomeOf(resumed).tables[0]?.runId).toBe(outcomeOf(full).tables[0]?.runId)
    const environment = {
      ...lake.environment(),
      storage: { kind: 'local' as const, root: join(disk.path, 'lake/') },
    }
    await using reader = await openReader(formatOf(arm), environment)
    const counts = z.object({ rows: z.bigint(), keys: z.bigint() })
    const relation = relationOf(formatOf(arm), environment, 'events')
    const found = await reader.query(
      counts,
      `SELECT count(*) AS rows, count(DISTINCT id) AS keys FROM ${relation}`,
    )
    expect(found).toEqual([{ rows: 30_000n, keys: 30_000n }])
    expect(await readdir(join(disk.path, 'staging')).catch(() => [])).toEqual([])
  },
)
