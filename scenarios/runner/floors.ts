import { createPod } from '../../platform/pods/mechanism.ts'
import type { Run } from '../../reports/schema.ts'
import { startMemoryMeasurement } from '../measure/memory.ts'
import { FLOOR_ROLES, type FloorRequest, readyEventSchema } from '../processes/protocol.ts'
import { Child, type Waiting } from './child.ts'
import { CellFailed } from './failure.ts'
import { environmentOf, placeOf, type Surroundings } from './surroundings.ts'

const DEADLINE_MS = 60_000

type Floor = Run['floors'][string]

/**
 * Starts idle processes and looks at their resident size, and at how long they take to be ready: bare Node, Node with an
 * empty DuckDB and its extensions, and the sidecar. What can't be started here has no floor.
 */
export async function measureFloors(surroundings: Surroundings, samples: number): Promise<Run['floors']> {
  const floors: Record<string, Floor> = {}
  for (const role of FLOOR_ROLES) {
    if (role === 'sidecar' && surroundings.sidecar === null) continue
    const floor = await floorOf(role, surroundings, samples).catch(unlessItCannotStart)
    if (floor !== null) floors[role] = floor
  }
  return floors
}

function unlessItCannotStart(error: unknown): null {
  if (error instanceof CellFailed) return null
  throw error
}

async function floorOf(
  role: FloorRequest['role'],
  surroundings: Surroundings,
  samples: number,
): Promise<Floor> {
  const floor: { rssBytes: number[]; startMs: number[] } = { rssBytes: [], startMs: [] }
  for (let sample = 0; sample < samples; sample += 1) {
    const { rssBytes, startMs } = await startIdle(role, surroundings)
    floor.rssBytes.push(rssBytes)
    floor.startMs.push(startMs)
  }
  return floor
}

async function startIdle(role: FloorRequest['role'], surroundings: Surroundings) {
  const waiting: Waiting = { deadlineMs: DEADLINE_MS, signal: surroundings.signal }
  const request: FloorRequest = {
    role,
    environment: environmentOf(surroundings, placeOf(surroundings, 'floors'), null),
  }
  await using pod = await createPod({ name: 'floor', memoryCapBytes: null })
  const startedAt = performance.now()
  await using child = new Child(pod, surroundings.entries.floor, request)
  const { processes } = await child.event(readyEventSchema, waiting)
  const startMs = performance.now() - startedAt
  using memory = startMemoryMeasurement(pod, { roles: processes })
  const { floorBytesByRole } = memory.stop().record
  await child.exit()
  return { rssBytes: floorBytesByRole[role] ?? 0, startMs }
}
