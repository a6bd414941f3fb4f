import type { z } from 'zod'
import type { Phase } from '../../reports/schema.ts'
import { startCpuMeasurement } from '../measure/cpu.ts'
import { startMemoryMeasurement } from '../measure/memory.ts'
import type { PostgresMeter } from '../measure/postgres-usage.ts'
import type { S3Meter } from '../measure/s3-requests.ts'
import { SpillWatch } from '../measure/spill.ts'
import type { Child, Waiting } from './child.ts'

/** The instruments outside of the pod, which serve all cells of a run. */
export interface Instruments {
  readonly s3: S3Meter
  readonly postgres: PostgresMeter
  /** The folder that engines spill to. */
  readonly scratchDir: string
}

interface Timed {
  readonly wallMs: number
}

/**
 * Tells a child that stands ready to go, and measures it until it says that it is done. The wall time is the child's
 * own; what is read from servers is read before and after it.
 */
export async function measurePhase<Done extends Timed>(
  child: Child,
  processes: Readonly<Record<string, number>>,
  instruments: Instruments,
  doneSchema: z.ZodType<Done>,
  waiting: Waiting,
): Promise<{ readonly phase: Phase; readonly done: Done }> {
  const s3Usage = await instruments.s3.start()
  const postgresUsage = await instruments.postgres.start()
  using memory = startMemoryMeasurement(child.pod, { roles: processes })
  using spill = new SpillWatch(instruments.scratchDir)
  const cpu = startCpuMeasurement(child.pod)
  child.tell('go')
  const done = await child.event(doneSchema, waiting)
  const cpuRecord = cpu()
  const { record } = memory.stop()
  return {
    done,
    phase: {
      wallMs: done.wallMs,
      ...cpuRecord,
      memory: record,
      s3: await s3Usage(),
      postgres: await postgresUsage(),
      spillPeakBytes: spill.peakBytes,
    },
  }
}
