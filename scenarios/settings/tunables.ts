import { availableParallelism } from 'node:os'
import type { Arm } from '../../backends/backend.ts'
import type { Tunable } from '../search/sweep.ts'

const MIB = 2 ** 20
/** Threads above the processors are for waiting: one that waits for the object store uses none. */
const THREADS = [1, 2, 4, 8].map((times) => times * availableParallelism())

/** What is worth a try of each arm in a pod of so many bytes, what matters most first. */
export function tunablesOf(arm: Arm, podBytes: number): readonly Tunable[] {
  return arm.startsWith('ducklake/') ? [...DUCKLAKE, memoryShares(podBytes)] : (DELTA[arm] ?? [])
}

const DUCKLAKE: readonly Tunable[] = [
  { name: 'threads', values: [1, ...THREADS] },
  { name: 'uploadThreads', values: [1, 4, 16] },
  { name: 'rowGroupBytes', values: [4 * MIB, 16 * MIB, 64 * MIB] },
  { name: 'flushPayloadBytes', values: [8 * MIB, 32 * MIB, 128 * MIB] },
  { name: 'maxOpenFiles', values: [25, 100] },
  { name: 'statementPayloadBytes', values: [16 * MIB, 64 * MIB] },
]

const STEPS: readonly Tunable[] = [
  { name: 'processors', values: [1, 2] },
  { name: 'stepTargetBytes', values: [32 * MIB, 128 * MIB, 512 * MIB] },
]

/** An arm without any is the pipeline of today, which stays as it is. */
const DELTA: Readonly<Partial<Record<Arm, readonly Tunable[]>>> = {
  'delta/deltalite': [
    { name: 'deltalite.maxParallelPartitions', values: [1, 2, 4, 8, 16, 32] },
    { name: 'deltalite.maxParallelFiles', values: [1, 2, 4] },
    { name: 'deltalite.probeConcurrency', values: [2, 4, 16] },
    { name: 'deltalite.maxRowGroupBytes', values: [MIB, 4 * MIB, 16 * MIB] },
    { name: 'deltalite.readBatchRows', values: [1_024, 8_192] },
    { name: 'deltalite.targetFileBytes', values: [16 * MIB, 64 * MIB] },
  ],
  'delta/duckdb': [
    { name: 'duckdb.parallelFiles', values: [1, 3, 8, 16] },
    { name: 'duckdb.threads', values: [1, ...THREADS] },
    { name: 'duckdb.uploadThreads', values: [1, 4, 16] },
    { name: 'duckdb.compressionLevel', values: [1, 3] },
    { name: 'duckdb.targetFileBytes', values: [16 * MIB, 64 * MIB] },
  ],
  'delta/merge': STEPS,
  'delta/merge-tuned': STEPS,
}

/** DuckDB's `memory_limit`, whose excess over what it counts the rest of the pod must hold. */
function memoryShares(podBytes: number): Tunable {
  return {
    name: 'memoryLimitBytes',
    values: [0.35, 0.5, 0.65].map((share) => Math.floor(podBytes * share)),
  }
}
