import { once } from 'node:events'
import { type Arm, formatOf } from '../../backends/backend.ts'
import type { TableSpec } from '../../backends/schema.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import type { Run } from '../../reports/schema.ts'
import { ProcessMemory } from '../measure/process-memory.ts'
import { readyEventSchema } from '../processes/protocol.ts'
import { Child } from './child.ts'
import { environmentOf, placeOf, removePlace, type Surroundings } from './surroundings.ts'

const REPEAT = 3
const DEADLINE_MS = 120_000
const TABLE: TableSpec = {
  name: 'floor',
  columns: [{ name: 'id', type: { kind: 'int64' }, nullable: false }],
  primaryKey: ['id'],
  partitionBy: null,
}

/**
 * What a process holds, and how long it takes to start, before it does any work: Node alone, and for each format a loader
 * with its engine and an open, empty table, its sidecar apart. Resident bytes, from the start of the process on.
 * @param arms one of each format is enough
 */
export async function measureFloors(
  surroundings: Surroundings,
  arms: readonly Arm[],
): Promise<Run['floors']> {
  const floors = new Floors()
  const onePerFormat = [...new Map(arms.map((arm) => [formatOf(arm), arm])).values()]
  for (let repetition = 0; repetition < REPEAT; repetition += 1) {
    surroundings.signal.throwIfAborted()
    await bareNode(floors)
    for (const arm of onePerFormat) await idleLoader(surroundings, arm, floors)
  }
  return floors.byRole
}

class Floors {
  readonly byRole: Run['floors'] = {}

  add(role: string, processId: number, startMs: number): void {
    using memory = new ProcessMemory(processId)
    const floor = (this.byRole[role] ??= { rssBytes: [], startMs: [] })
    floor.rssBytes.push(memory.zeroPeak())
    floor.startMs.push(startMs)
  }
}

async function bareNode(floors: Floors): Promise<void> {
  await using pod = await createPod({ name: 'floor', memoryCapBytes: null })
  const startedAt = performance.now()
  const node = pod.spawn(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()'])
  await once(node.stdout, 'data')
  floors.add('node', node.pid ?? 0, performance.now() - startedAt)
  await pod.kill()
  await node
}

async function idleLoader(surroundings: Surroundings, arm: Arm, floors: Floors): Promise<void> {
  const place = placeOf(surroundings, `floors/${arm}`)
  const environment = environmentOf(surroundings, place, null)
  const request = { arm, environment, settings: {}, table: TABLE, work: { kind: 'describe' } }
  await using pod = await createPod({ name: 'floor', memoryCapBytes: null })
  const startedAt = performance.now()
  await using child = new Child(pod, surroundings.entries.loader, request)
  const waiting = { deadlineMs: DEADLINE_MS, signal: surroundings.signal }
  const { processes } = await child.event(readyEventSchema, waiting)
  const startMs = performance.now() - startedAt
  for (const [role, processId] of Object.entries(processes)) {
    floors.add(`${formatOf(arm)} ${role}`, processId, startMs)
  }
  await pod.kill()
  await removePlace(surroundings, place)
}
