import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import { GLIBC_MALLOC } from '../../platform/pods/allocator.ts'
import type { BackendEnvironment } from '../backend.ts'
import type { DuckDbSettings } from './duckdb/settings.ts'
import { duckDbDefaults, duckDbShape } from './duckdb/settings.ts'

export const STRATEGIES = ['merge-loop', 'merge', 'merge-tuned', 'deltalite', 'duckdb'] as const
export type Strategy = (typeof STRATEGIES)[number]

const MIB = 2 ** 20

/** How data files are written, by every strategy that can be told. */
const writeShape = {
  /** An appended or compacted row group holds at most this much payload, which a reader must be able to hold. */
  rowGroupPayloadBytes: z.int().positive(),
  /** And at most this many rows, whatever their payload. */
  maxRowGroupRows: z.int().positive(),
  /** Whether both bounds hold for what a merge writes, too; otherwise its row groups are delta-rs's own 1,048,576 rows. */
  boundedMergeRowGroups: z.boolean(),
  /** Null is delta-rs's own 100 MiB. */
  targetFileBytes: z.int().positive().nullable(),
  /** Commits lost to others that don't contradict. delta-rs tries 15 times without a pause, which 16 writers use up. */
  maxCommitRetries: z.int().nonnegative(),
}

const commonShape = {
  ...writeShape,
  /** Whether the parts of an append that are as the table's own files would be are copied beside those, and not read at all. */
  registerParts: z.boolean(),
  /** How long files that an upsert or a compaction replaced stay for readers of older versions. */
  vacuumRetentionHours: z.int().nonnegative(),
  /** An upsert of more payload is committed in steps of about this much; null is one commit whatever the size. */
  stepPayloadBytes: z.int().positive().nullable(),
  /**
   * A merge reads about this much of the table at once, in a commit for each group of partitions; null is all in one.
   * delta-rs holds what it reads, however few rows match.
   */
  stepTargetBytes: z.int().positive().nullable(),
  /** Processors that the sidecar may use, which DataFusion's parallelism follows; null leaves it all of them. */
  processors: z.int().positive().nullable(),
  /** Variables that the engines and the allocators read when they are loaded. */
  engineEnvironment: z.record(z.string(), z.string()),
}

/** Arguments of deltalite's `upsert`; its README explains each. */
const deltaliteShape = {
  /** Small partitions that are merged at once; large ones are by `parallelPayloadBytes`, and two at least. */
  maxParallelPartitions: z.int().positive(),
  /** Stored payload, at most, of the partitions that are merged at once. Not deltalite's own. */
  parallelPayloadBytes: z.int().positive(),
  maxParallelFiles: z.int().positive(),
  /** Decoded rows between the file readers and the writer. */
  maxBufferedBytes: z.int().positive(),
  /** Compressed row groups that readers hold before they decode them. */
  maxFetchBytes: z.int().positive(),
  probeConcurrency: z.int().positive(),
  readBatchRows: z.int().positive(),
  /** An output row group is closed at this many encoded bytes. */
  maxRowGroupBytes: z.int().positive(),
  /** Also what a partition's write buffer holds before it is uploaded. */
  targetFileBytes: z.int().positive(),
  maxCommitRetries: z.int().nonnegative(),
}

const mergeSettingsSchema = z.strictObject(commonShape)
const deltaliteSettingsSchema = z.strictObject({ ...commonShape, deltalite: z.strictObject(deltaliteShape) })
const duckDbSettingsSchema = z.strictObject({ ...commonShape, duckdb: z.strictObject(duckDbShape) })

export type DeltaSettings = Readonly<z.infer<typeof mergeSettingsSchema>> & {
  readonly deltalite?: Readonly<z.infer<typeof deltaliteSettingsSchema>['deltalite']>
  readonly duckdb?: DuckDbSettings
}

/**
 * The strategy's defaults for an environment with the overrides on top. How the defaults were found:
 * `docs/decisions/004-delta-settings.md`.
 * @throws LakeduelError `CONFIG_INVALID` for an unknown key or a bad value
 */
export function settingsFor(
  strategy: Strategy,
  environment: BackendEnvironment,
  overrides: Readonly<Record<string, unknown>>,
): DeltaSettings {
  const schema = schemaOf(strategy)
  const parsed = schema.safeParse(merged(defaultsOf(strategy, environment), overrides))
  if (parsed.success) return parsed.data
  throw new LakeduelError(
    'CONFIG_INVALID',
    `settings of delta/${strategy}: ${z.prettifyError(parsed.error)}`,
    {
      facts: { strategy, overrides: Object.keys(overrides) },
      remedy: `The settings are ${Object.keys(schema.shape).join(', ')}.`,
    },
  )
}

function schemaOf(strategy: Strategy) {
  if (strategy === 'deltalite') return deltaliteSettingsSchema
  return strategy === 'duckdb' ? duckDbSettingsSchema : mergeSettingsSchema
}

/** Records are merged key by key, so that one variable or argument can be overridden alone. */
function merged(defaults: DeltaSettings, overrides: Readonly<Record<string, unknown>>): object {
  const record = z.record(z.string(), z.unknown())
  const nested = (['engineEnvironment', 'deltalite', 'duckdb'] as const).flatMap((name) => {
    const override = record.safeParse(overrides[name])
    return override.success ? [[name, { ...defaults[name], ...override.data }]] : []
  })
  return { ...defaults, ...overrides, ...Object.fromEntries(nested) }
}

function defaultsOf(strategy: Strategy, environment: BackendEnvironment): DeltaSettings {
  switch (strategy) {
    case 'merge-loop':
    case 'merge':
      return BASE
    case 'merge-tuned':
      return { ...BASE, ...TUNED }
    case 'deltalite':
      return { ...BASE, engineEnvironment: SYSTEM_MALLOC, deltalite: deltaliteDefaults(environment) }
    case 'duckdb':
      return { ...BASE, engineEnvironment: SYSTEM_MALLOC, duckdb: duckDbDefaults(environment) }
  }
}

const BASE: DeltaSettings = {
  rowGroupPayloadBytes: 16 * MIB,
  maxRowGroupRows: 65_536,
  boundedMergeRowGroups: false,
  targetFileBytes: null,
  maxCommitRetries: 1_000,
  registerParts: true,
  vacuumRetentionHours: 0,
  stepPayloadBytes: null,
  stepTargetBytes: null,
  processors: null,
  engineEnvironment: {},
}

/** pyarrow allocates through glibc as well. */
const SYSTEM_MALLOC = { ARROW_DEFAULT_MEMORY_POOL: 'system', ...GLIBC_MALLOC }

const TUNED: Partial<DeltaSettings> = {
  boundedMergeRowGroups: true,
  stepTargetBytes: 128 * MIB,
  processors: 1,
  engineEnvironment: {
    ...SYSTEM_MALLOC,
    // delta-rs's wheel allocates with jemalloc, which otherwise keeps freed pages for ten seconds.
    _RJEM_MALLOC_CONF: 'dirty_decay_ms:0,muzzy_decay_ms:0',
    DELTARS_MAX_CONCURRENCY_TASKS: '2',
    DELTARS_MAX_CONCURRENT_WRITERS: '1',
    DELTARS_WRITER_BATCH_CHANNEL_SIZE: '1',
  },
}

/** What a pod without a cap is taken to have, so that a strategy is the same with and without one of 1 GiB. */
const DEFAULT_BUDGET_BYTES = 1024 * MIB
/** deltalite's buffers, each as a share of the pod: the source batch, which no argument bounds, takes most of it. */
const BUFFER_SHARE = 1 / 32

function deltaliteDefaults({
  memoryBudgetBytes,
}: BackendEnvironment): NonNullable<DeltaSettings['deltalite']> {
  const bufferBytes = Math.floor((memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES) * BUFFER_SHARE)
  return {
    // The most that deltalite merges at once in a process.
    maxParallelPartitions: 8,
    parallelPayloadBytes: bufferBytes,
    maxParallelFiles: 2,
    maxBufferedBytes: bufferBytes,
    maxFetchBytes: bufferBytes,
    probeConcurrency: 16,
    readBatchRows: 8_192,
    maxRowGroupBytes: 4 * MIB,
    targetFileBytes: 64 * MIB,
    maxCommitRetries: 1_000,
  }
}

/** What a request tells of them; the rest took effect when the sidecar started. */
export function requestedSettings(settings: DeltaSettings): object {
  const { rowGroupPayloadBytes, maxRowGroupRows, boundedMergeRowGroups, targetFileBytes, maxCommitRetries } =
    settings
  return {
    write: {
      rowGroupPayloadBytes,
      maxRowGroupRows,
      boundedMergeRowGroups,
      targetFileBytes,
      maxCommitRetries,
    },
    registerParts: settings.registerParts,
    deltalite: settings.deltalite ?? null,
    stepPayloadBytes: settings.stepPayloadBytes,
    stepTargetBytes: settings.stepTargetBytes,
  }
}

/** The environment of the sidecar's process. */
export function processEnvironment(settings: DeltaSettings): Readonly<Record<string, string>> {
  const processors =
    settings.processors === null ? {} : { LAKEDUEL_SIDECAR_PROCESSORS: String(settings.processors) }
  return { ...settings.engineEnvironment, ...processors }
}
