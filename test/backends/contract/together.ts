import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApplyMode, CommitTag, TaggedBatch } from '../../../backends/backend.ts'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import { sorted, TableModel } from './model.ts'
import { killDuring, runInProcess } from './process.ts'
import type { Row } from './rows.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'
import { throughConflicts } from './table.ts'

const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
const rows = (note: string, ...ids: readonly number[]) => ids.map((id) => ({ id, part: `p${id % 3}`, note }))
const tagOf = (runId: string, batchIndex = 0): CommitTag => ({ runId, batchIndex })

interface Member {
  readonly tag: CommitTag
  readonly rows: readonly Row[]
}

const member = (runId: string, batchIndex: number, ...ids: readonly number[]): Member => ({
  tag: tagOf(runId, batchIndex),
  rows: rows(`${runId} ${batchIndex}`, ...ids),
})

/** Three runs, whose batches share keys with one another. */
const MEMBERS = [member('a', 0, 1, 2), member('b', 0, 2, 3), member('a', 1, 3, 10), member('c', 0, 11)]

export function togetherTests(lake: () => TestLake): void {
  const create = () => lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })

  test.each(['append', 'upsert', 'replace'] as const)(
    'several batches that are applied together in the mode %s are as one after another, in one version',
    async (mode) => {
      const table = await create()
      await table.append(rows('stored', 1, 2, 20))
      const before = await table.handle.describe()
      const { capabilities } = await lake().backend()
      const result = await applyMembers(table, mode, MEMBERS)
      expect(result).toMatchObject({
        alreadyApplied: false,
        alreadyAppliedEach: [false, false, false, false],
        rowsRead: 7,
      })
      if (capabilities.atomicUpserts || mode !== 'upsert') {
        expect(result.commits).toBe(1)
        expect(Number(result.version)).toBe(Number(before.version) + 1)
      }
      for (const { tag } of MEMBERS) {
        expect(await table.handle.appliedThrough(tag.runId)).toBe(tag.runId === 'a' ? 1 : 0)
      }
      await table.expectStored()
    },
  )

  test.each(['append', 'upsert', 'replace'] as const)(
    'batches that are committed already are left out of those that are applied together in the mode %s',
    async (mode) => {
      const table = await create()
      await applyMembers(table, mode, MEMBERS.slice(1, 2))
      const others = [MEMBERS[0], MEMBERS[3]].flatMap((other) => other ?? [])
      const mustNotAppear = { tag: tagOf('b', 0), rows: rows('must not appear', 1, 2, 3, 99) }
      const batches = await stageMembers(
        table,
        [others[0], mustNotAppear, others[1]].flatMap((one) => one ?? []),
      )
      const result = await table.handle.applyTogether(batches, mode)
      expect(result).toMatchObject({ alreadyApplied: false, alreadyAppliedEach: [false, true, false] })
      for (const other of others) table.model.apply(mode, other.rows)
      await table.expectStored()

      const again = await runInProcess(table.requestTogether(batches, mode))
      expect(again).toMatchObject({ alreadyApplied: true })
      const repeated = await table.handle.applyTogether(batches, mode)
      expect(repeated).toMatchObject({
        alreadyApplied: true,
        alreadyAppliedEach: [true, true, true],
        commits: 0,
        version: result.version,
      })
      await table.expectStored()
    },
  )

  test('of two batches with one tag the first counts, and a batch that comes after a later one of its run is left out', async () => {
    const table = await create()
    const batches = await stageMembers(table, [
      member('a', 1, 1),
      { tag: tagOf('a', 1), rows: rows('doubled', 2) },
      member('b', 0, 3),
      member('a', 0, 4),
    ])
    const result = await table.handle.applyTogether(batches, 'append')
    expect(result.alreadyAppliedEach).toEqual([false, true, false, true])
    table.model.apply('append', [...rows('a 1', 1), ...rows('b 0', 3)])
    await table.expectStored()
  })

  test('a batch that is refused keeps those from being applied that came with it, and they can come again', async () => {
    const table = await create()
    await table.append(rows('stored', 1))
    const { version } = await table.handle.describe()
    const good = await stageMembers(table, [member('a', 0, 1, 2), member('b', 0, 5)])
    const bad = await table.stage({ rows: [{ id: 3, part: 'p0', note: 'x' }], types: { id: 'VARCHAR' } })
    const batches = [...good.slice(0, 1), { batch: bad, tag: tagOf('bad') }, ...good.slice(1)]
    for (const mode of ['append', 'upsert'] as const) {
      await expectFailure(table.handle.applyTogether(batches, mode), 'SCHEMA_MISMATCH')
    }
    expect((await table.handle.describe()).version).toBe(version)
    for (const { tag } of batches) expect(await table.handle.appliedThrough(tag.runId)).toBeNull()
    await table.handle.applyTogether(good, 'upsert')
    table.model.apply('upsert', [...rows('a 0', 1, 2), ...rows('b 0', 5)])
    await table.expectStored()
  })

  test('one commit carries the tags of many runs', async () => {
    const table = await create()
    const members = Array.from({ length: 40 }, (_, index) => member(`run ${index}`, 0, index))
    expect(await applyMembers(table, 'append', members)).toMatchObject({ commits: 1 })
    await table.reopen(await lake().connect())
    for (const { tag } of members.slice(30)) expect(await table.handle.appliedThrough(tag.runId)).toBe(0)
    expect((await applyMembers(table, 'upsert', members.map(nextOf))).alreadyApplied).toBe(false)
    await table.expectStored()
  })

  test('writers whose batches overlap apply each of them once', async () => {
    const table = await create()
    const zombie = await (await lake().connect()).open(table.spec)
    await table.append(rows('before', 1))
    for (const round of [0, 1, 2]) {
      const members = ['a', 'b', 'c'].map((runId, index) => member(runId, round, 10 * round + index))
      const batches = await stageMembers(table, members)
      const results = await Promise.all([
        throughConflicts(() => table.handle.applyTogether(batches.slice(0, 2), 'append')),
        throughConflicts(() => zombie.applyTogether(batches.slice(1), 'append')),
      ])
      const applied = results.flatMap(({ alreadyAppliedEach }) => alreadyAppliedEach.filter((each) => !each))
      expect(applied).toHaveLength(3)
      for (const one of members) table.model.apply('append', one.rows)
    }
    await zombie.close()
    await table.expectStored()
  })

  test('after any sequence of batches that are applied together and repeated, each counts once', async () => {
    await fc.assert(
      fc.asyncProperty(groupsArbitrary, async (groups) => expectEachOnce(await create(), groups)),
      {
        numRuns: 4,
        seed: 20261126,
        endOnFailure: true,
      },
    )
  })

  test('a process that is killed while it upserts batches together leaves all of them or none', async () => {
    const table = await create()
    const first = table.requestTogether(await stageMembers(table, roundOf(0)), 'upsert')
    const { durationMs } = await runInProcess(first)
    for (const { rows: added } of roundOf(0)) table.model.apply('upsert', added)
    for (const [index, share] of [0.3, 0.7, 0.95].entries()) {
      await killedAndRepaired(table, roundOf(index + 1), share * durationMs)
    }
  })
}

/** Batches of three runs, each of 20 rows, some of them of the round before. */
function roundOf(round: number): readonly Member[] {
  return ['a', 'b', 'c'].map((runId, index) =>
    member(runId, round, ...Array.from({ length: 20 }, (_, row) => 30 * round + 15 * index + row)),
  )
}

async function killedAndRepaired(
  table: TestTable,
  members: readonly Member[],
  delayMs: number,
): Promise<void> {
  const batches = await stageMembers(table, members)
  await killDuring(table.requestTogether(batches, 'upsert'), delayMs)
  const after = new TableModel(table.spec)
  after.apply('append', table.model.rows)
  for (const { rows: added } of members) after.apply('upsert', added)
  const { capabilities } = await table.lake.backend()
  if (capabilities.atomicUpserts) {
    expect([sorted(table.model.rows), sorted(after.rows)]).toContainEqual(sorted(await table.stored()))
  }
  await table.reopen()
  // Whoever finds them again may take others with them.
  await throughConflicts(() => table.handle.applyTogether(batches.slice(0, 1), 'upsert'))
  await throughConflicts(() => table.handle.applyTogether(batches, 'upsert'))
  for (const { rows: added } of members) table.model.apply('upsert', added)
  await table.expectStored()
}

function nextOf({ tag }: Member): Member {
  return member(tag.runId, tag.batchIndex + 1, 7)
}

async function stageMembers(table: TestTable, members: readonly Member[]): Promise<readonly TaggedBatch[]> {
  const batches: TaggedBatch[] = []
  for (const { tag, rows: added } of members) batches.push({ tag, batch: await table.stage(added) })
  return batches
}

async function applyMembers(table: TestTable, mode: ApplyMode, members: readonly Member[]) {
  const result = await table.handle.applyTogether(await stageMembers(table, members), mode)
  for (const { rows: added } of members) table.model.apply(mode, added)
  return result
}

const groupsArbitrary = fc.array(
  fc.record({
    mode: fc.constantFrom('append' as const, 'upsert' as const),
    tags: fc.array(
      fc.record({ runId: fc.constantFrom('a', "b'", 'C"'), batchIndex: fc.integer({ min: 0, max: 3 }) }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  { minLength: 1, maxLength: 4 },
)

/** The model applies a batch when its index is above all those of its run before. Keys are distinct where rows are appended. */
async function expectEachOnce(
  table: TestTable,
  groups: readonly { readonly mode: 'append' | 'upsert'; readonly tags: readonly CommitTag[] }[],
): Promise<void> {
  const through = new Map<string, number>()
  for (const [index, { mode, tags }] of groups.entries()) {
    const members = tags.map((tag, position) => ({
      tag,
      rows: rows(
        `${index}/${position}`,
        ...(mode === 'append' ? [100 * index + position] : [1, 2 + position]),
      ),
    }))
    const isFree = members.map(({ tag: { runId, batchIndex }, rows: added }) => {
      if (batchIndex <= (through.get(runId) ?? -1)) return false
      through.set(runId, batchIndex)
      table.model.apply(mode, added)
      return true
    })
    const result = await table.handle.applyTogether(await stageMembers(table, members), mode)
    expect(result.alreadyAppliedEach).toEqual(isFree.map((free) => !free))
    expect(result.alreadyApplied).toBe(isFree.every((free) => !free))
  }
  await table.expectStored()
}
