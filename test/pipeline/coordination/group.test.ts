import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import type { ApplyMode } from '../../../backends/backend.ts'
import type { Attempt, Coordinator, SharedTable } from '../../../pipeline/coordination/coordinator.ts'
import { openCoordinator } from '../../../pipeline/coordination/open.ts'
import { Requests } from '../../../pipeline/coordination/requests.ts'
import { Session } from '../../../pipeline/coordination/session.ts'
import { lockKey } from '../../../pipeline/coordination/table-lock.ts'
import { expectFailure } from '../../backends/contract/errors.ts'
import { useLake } from '../../backends/contract/lake.ts'
import type { Row } from '../../backends/contract/rows.ts'
import { optional, required } from '../../backends/contract/rows.ts'
import type { PartContent } from '../../backends/contract/staging.ts'
import type { TestTable } from '../../backends/contract/table.ts'

const COLUMNS = [required('id', 'int64'), optional('note', 'string')]
const rowOf = (id: number, note = `row ${id}`): Row => ({ id, note })
const lake = useLake('ducklake/merge', 's3')

interface Writer extends AsyncDisposable {
  readonly attempts: readonly Attempt[]
  apply(parts: readonly Row[] | PartContent, mode?: ApplyMode): ReturnType<Coordinator['apply']>
}

/** A writer in this process, with a backend and a connection of its own. */
async function openWriter(table: TestTable, runId: string, maxGroupPayloadBytes = 2 ** 20): Promise<Writer> {
  const backend = await lake().connect()
  const handle = await backend.open(table.spec)
  const attempts: Attempt[] = []
  const coordinator = openCoordinator('group', {
    postgres: inject('services').postgres,
    maxGroupPayloadBytes,
    observe: (attempt) => attempts.push(attempt),
  })
  const shared: SharedTable = { handle, uri: table.spec.name, concurrentUpserts: 'none' }
  let batchIndex = -1
  return {
    attempts,
    async apply(parts, mode = 'upsert') {
      batchIndex += 1
      const columns = 'rows' in parts ? (parts.columns ?? []) : []
      const batch = await table.stage(parts)
      return coordinator.apply(shared, { batch, mode, tag: { runId, batchIndex }, columns, partitions: null })
    },
    [Symbol.asyncDispose]: () => coordinator[Symbol.asyncDispose](),
  }
}

/** Lets the writers submit while the table is locked, so that all of them wait for the first leader. */
async function allWaiting<T>(
  table: TestTable,
  calls: () => readonly Promise<T>[],
): Promise<readonly Promise<T>[]> {
  const { postgres } = inject('services')
  await using coordinator = openCoordinator('lock', { postgres })
  await using session = await Session.open(postgres)
  await Requests.install(session)
  return await coordinator.alone(table.spec.name, async () => {
    const started = calls()
    while ((await waitingAt(session, table)).length < started.length) await sleep(5)
    return started
  })
}

function waitingAt(session: Session, { spec }: TestTable) {
  return new Requests(session, lockKey(spec.name)).waiting(100)
}

const create = () => lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })

test('batches that wait are committed in one attempt by one of their writers', async () => {
  const table = await create()
  const writers = [await openWriter(table, 'a'), await openWriter(table, 'b'), await openWriter(table, 'c')]
  const calls = await allWaiting(table, () => writers.map((writer, id) => writer.apply([rowOf(id)])))
  for (const result of await Promise.all(calls)) {
    expect(result).toMatchObject({ alreadyApplied: false, batchesTogether: 3 })
  }
  expect(writers.flatMap(({ attempts }) => attempts)).toHaveLength(1)
  table.model.apply(
    'upsert',
    [0, 1, 2].map((id) => rowOf(id)),
  )
  await table.expectStored()
  for (const writer of writers) await writer[Symbol.asyncDispose]()
})

test('a batch that does not fit the table fails its own writer only', async () => {
  const table = await create()
  const writers = [await openWriter(table, 'a'), await openWriter(table, 'bad'), await openWriter(table, 'c')]
  const bad: PartContent = { rows: [{ id: 1, note: 'x' }], types: { id: 'VARCHAR' } }
  const calls = await allWaiting(table, () =>
    writers.map((writer, id) => writer.apply(id === 1 ? bad : [rowOf(id)])),
  )
  const [first, second, third] = calls
  if (first === undefined || second === undefined || third === undefined) return
  const failing = expectFailure(second, 'SCHEMA_MISMATCH')
  expect(await first).toMatchObject({ alreadyApplied: false })
  expect(await third).toMatchObject({ alreadyApplied: false })
  await failing
  table.model.apply('upsert', [rowOf(0), rowOf(2)])
  await table.expectStored()
  for (const writer of writers) await writer[Symbol.asyncDispose]()
})

test('batches that are too many bytes together are committed one after another', async () => {
  const table = await create()
  const writers = [await openWriter(table, 'a', 30), await openWriter(table, 'b', 30)]
  const calls = await allWaiting(table, () =>
    writers.map((writer, id) => writer.apply([rowOf(id)], 'append')),
  )
  for (const result of await Promise.all(calls)) expect(result.batchesTogether).toBe(1)
  table.model.apply('append', [rowOf(0), rowOf(1)])
  await table.expectStored()
  for (const writer of writers) await writer[Symbol.asyncDispose]()
})

test('a table gets the columns of all batches that are committed together', async () => {
  const table = await create()
  const wider = { columns: [...COLUMNS, optional('extra', 'int32')], rows: [{ ...rowOf(1), extra: 7 }] }
  const writers = [await openWriter(table, 'a'), await openWriter(table, 'b')]
  const calls = await allWaiting(table, () =>
    writers.map((writer, id) => writer.apply(id === 0 ? [rowOf(0)] : wider)),
  )
  await Promise.all(calls)
  table.model.spec = { ...table.spec, columns: wider.columns }
  table.model.apply('upsert', [rowOf(0), { ...rowOf(1), extra: 7 }])
  await table.expectStored()
  for (const writer of writers) await writer[Symbol.asyncDispose]()
})

test('a request whose writer is gone is removed, and its batch is applied when it is brought again', async () => {
  const table = await create()
  const { postgres } = inject('services')
  const batch = await table.stage([rowOf(1)])
  const tag = { runId: 'gone', batchIndex: 0 }
  await using session = await Session.open(postgres)
  await Requests.install(session)
  {
    await using gone = await Session.open(postgres)
    await new Requests(gone, lockKey(table.spec.name)).submit({
      batch,
      mode: 'append',
      tag,
      columns: [],
      partitions: null,
    })
    expect(await waitingAt(session, table)).toHaveLength(1)
  }
  while ((await waitingAt(session, table)).length > 0) await sleep(5)
  await using other = await openWriter(table, 'other')
  await other.apply([rowOf(2)], 'append')
  expect(await table.handle.appliedThrough('gone')).toBeNull()
  await using again = await openWriter(table, 'gone')
  expect(await again.apply([rowOf(1)], 'append')).toMatchObject({ alreadyApplied: false })
  table.model.apply('append', [rowOf(1), rowOf(2)])
  await table.expectStored()
})

test('maintenance has the table for itself', async () => {
  const table = await create()
  await using writer = await openWriter(table, 'a')
  const { postgres } = inject('services')
  await using coordinator = openCoordinator('group', { postgres })
  await using maintained = await (await lake().connect()).open(table.spec)
  const rounds = [0, 1, 2]
  const writing = (async () => {
    for (const id of rounds) await writer.apply([rowOf(id), rowOf(0, `round ${id}`)])
  })()
  for (const _ of rounds) await coordinator.alone(table.spec.name, () => maintained.maintain())
  await writing
  expect(writer.attempts.filter(({ error }) => error !== null)).toEqual([])
  for (const id of rounds) table.model.apply('upsert', [rowOf(id), rowOf(0, `round ${id}`)])
  await table.expectStored()
})
