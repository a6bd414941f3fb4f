/**
 * MADE-UP results for the tests of the reports: plausible in shape, measured by nobody. Deterministic, so that tests can
 * state the figures that a report must show.
 */
import { writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import type { Cell, Metric, Phase, Point, Results, Scenario, SoundCell } from '../../reports/schema.ts'
import { cellId } from '../../reports/schema.ts'

const MIB = 1024 ** 2
const CAP_BYTES = 2048 * MIB

interface ArmShape {
  readonly applyMs: number
  readonly floorMib: number
  readonly addedMib: number
  readonly gets: number
  readonly puts: number
  readonly writtenMib: number
  readonly readAfter: number
  readonly commits: number
}

const SHAPES: Readonly<Record<string, ArmShape>> = {
  'delta/merge-loop': {
    applyMs: 42_000,
    floorMib: 180,
    addedMib: 240,
    gets: 3_900,
    puts: 310,
    writtenMib: 61,
    readAfter: 1.02,
    commits: 100,
  },
  'delta/merge': {
    applyMs: 21_500,
    floorMib: 180,
    addedMib: 1_450,
    gets: 620,
    puts: 104,
    writtenMib: 60,
    readAfter: 1.03,
    commits: 1,
  },
  'delta/merge-tuned': {
    applyMs: 19_800,
    floorMib: 181,
    addedMib: 690,
    gets: 610,
    puts: 104,
    writtenMib: 60,
    readAfter: 1.03,
    commits: 1,
  },
  'delta/deltalite': {
    applyMs: 12_900,
    floorMib: 182,
    addedMib: 150,
    gets: 700,
    puts: 103,
    writtenMib: 60,
    readAfter: 1.02,
    commits: 1,
  },
  'ducklake/delete-insert': {
    applyMs: 9_400,
    floorMib: 150,
    addedMib: 210,
    gets: 540,
    puts: 200,
    writtenMib: 3.4,
    readAfter: 1.55,
    commits: 1,
  },
  'ducklake/merge': {
    applyMs: 8_200,
    floorMib: 150,
    addedMib: 160,
    gets: 500,
    puts: 200,
    writtenMib: 3.2,
    readAfter: 1.52,
    commits: 1,
  },
}

/** The factor by which repetition i of every arm is slower or faster, as when a whole round is disturbed. */
const ROUNDS = [1.04, 0.98, 1, 1.01, 0.99, 1.02, 0.97]
/** The apply time of a made-up cell: what a report must show. */
export function madeUpApplyMs(arm: string, repetition: number, scale = 1): number {
  const own = ((repetition * 7 + arm.length * 3) % 5) * 0.012
  return Math.round((SHAPES[arm]?.applyMs ?? 0) * scale * (ROUNDS[repetition] ?? 1) * (1 + own))
}

const READ_BEFORE_MS = 640

function madeUpPhase(wallMs: number, floorMib: number, addedMib: number, gets: number, puts: number): Phase {
  const floorBytes = floorMib * MIB
  const addedBytes = Math.round(addedMib * MIB)
  return {
    wallMs,
    cpuSeconds: (wallMs / 1000) * 1.3,
    memory: {
      floorBytes,
      floorBytesByRole: { loader: floorBytes },
      vmHwmBytes: { loader: floorBytes + addedBytes },
      addedBytes,
      cgroupPeakBytes: Math.round((floorBytes + addedBytes) * 1.04),
      anonPeakBytes: Math.round((floorBytes + addedBytes) * 0.9),
      pssPeakBytes: Math.round((floorBytes + addedBytes) * 0.97),
    },
    s3: {
      status: 'measured',
      byOperation: { GetObject: gets, HeadObject: Math.round(gets / 4), PutObject: puts, ListObjectsV2: 6 },
      requests: gets + Math.round(gets / 4) + puts + 6,
      bytesIn: puts * 30_000,
      bytesOut: gets * 52_000,
    },
    postgres: { status: 'measured', calls: 38, walBytes: 210_000 },
    spillPeakBytes: 0,
    orchestratorCpuSeconds: 0.008,
  }
}

interface Where {
  readonly scenario: string
  readonly arm: string
  readonly repetition: number
  readonly point?: Point
  readonly control?: boolean
  readonly order?: number
}

function identity({ scenario, arm, repetition, point = {}, control = false, order = 0 }: Where) {
  const named = { scenario, arm, point: { ...point }, repetition, control }
  return {
    ...named,
    id: cellId(named),
    order,
    startedAt: new Date(Date.UTC(2026, 0, 5, 10, order)).toISOString(),
    settings: arm.startsWith('ducklake/')
      ? { threads: 2, memoryLimitBytes: 600 * MIB, preserveInsertionOrder: false }
      : { compression: 'zstd(3)', maxSpillSizeBytes: null, targetFileSizeBytes: 100 * MIB },
  }
}

/** A cell that passed, with all phases. */
export function passedCell(
  scenario: string,
  arm: string,
  repetition: number,
  order = 0,
  scale = 1,
): SoundCell {
  const shape = SHAPES[arm]
  if (shape === undefined) throw new Error(`No made-up shape for ${arm}.`)
  const { floorMib, addedMib, gets, puts, readAfter } = shape
  const jitter = 1 + repetition * 0.01
  const read = (factor: number) =>
    madeUpPhase(Math.round(READ_BEFORE_MS * factor * jitter), floorMib, 60, 120, 0)
  return {
    ...identity({ scenario, arm, repetition, order }),
    status: 'ok',
    phases: {
      'read-before': read(1),
      apply: madeUpPhase(madeUpApplyMs(arm, repetition, scale), floorMib, addedMib * jitter, gets, puts),
      'read-after': read(readAfter),
      maintain: madeUpPhase(2_300, floorMib, 130, 320, 101),
      'read-after-maintenance': read(1.01),
    },
    metrics: {
      rowsApplied: { value: 20_000, unit: 'count', better: 'neither', kind: 'count' },
      payloadBytes: { value: 9 * MIB, unit: 'bytes', better: 'neither', kind: 'count' },
      commits: { value: shape.commits, unit: 'count', better: 'neither', kind: 'count' },
      attempts: { value: shape.commits, unit: 'count', better: 'lower', kind: 'count' },
      storedBytesAfter: {
        value: Math.round((58 + shape.writtenMib) * MIB),
        unit: 'bytes',
        better: 'lower',
        kind: 'count',
      },
      bytesWritten: {
        value: Math.round(shape.writtenMib * MIB),
        unit: 'bytes',
        better: 'lower',
        kind: 'count',
      },
    },
    series: {},
    oracle: ORACLE,
  }
}

const ORACLE = {
  rows: 1_010_000,
  distinctKeys: 1_010_000,
  contentHash: 'b2f0c1d4',
  checks: ['row count', 'distinct keys', 'content hash'],
}

/** A cell of a scenario of its own kind: named metrics at a point, and no phases. */
export function measuredCell(where: Where, metrics: Readonly<Record<string, Metric>>): SoundCell {
  return {
    ...identity(where),
    status: 'ok',
    phases: {},
    metrics: { ...metrics },
    series: {},
    oracle: null,
  }
}

export function oomKilledCell(scenario: string, arm: string, repetition: number, order = 0): Cell {
  return {
    ...identity({ scenario, arm, repetition, order }),
    status: 'oom-killed',
    phase: 'apply',
    completed: {},
    metrics: {},
    series: {},
    peakBytes: CAP_BYTES,
    capBytes: CAP_BYTES,
    mechanism: 'cgroup-v1',
  }
}

export function failedCell(scenario: string, arm: string, repetition: number, message: string): Cell {
  return {
    ...identity({ scenario, arm, repetition }),
    status: 'engine-error',
    phase: 'apply',
    completed: {},
    metrics: {},
    series: {},
    code: 'ENGINE_FAILED',
    message,
  }
}

export function hungCell(scenario: string, arm: string, repetition: number): Cell {
  return {
    ...identity({ scenario, arm, repetition }),
    status: 'hang',
    phase: 'apply',
    completed: {},
    metrics: {},
    series: {},
    afterMs: 60_000,
  }
}

export function wrongCell(scenario: string, arm: string, repetition: number, order = 0): Cell {
  const findings = [{ check: 'row count', expected: '1,010,000', actual: '1,009,998' }]
  return { ...passedCell(scenario, arm, repetition, order), status: 'wrong-data', findings }
}

function skippedCell(scenario: string, arm: string, repetition: number, order = 0): Cell {
  const reason = 'deltalite needs Python 3.12 or newer, and 3.11.2 was found'
  return { ...identity({ scenario, arm, repetition, order }), status: 'skipped', reason }
}

interface MadeUpOptions {
  readonly repeat?: number
  readonly arms?: readonly string[]
}

/** A scenario without axes, parameters and data but those given. */
export function madeUpScenario(given: Partial<Scenario> & { readonly name: string }): Scenario {
  return {
    question: `What does ${given.name} cost?`,
    axes: [],
    parameters: {},
    memoryCapBytes: null,
    repeat: 5,
    arms: [],
    data: {},
    ...given,
  }
}

function madeUpData(rows: number, payloadBytes: number): Scenario['data'][string] {
  const storedBytes = { ducklake: Math.round(payloadBytes / 7.2), delta: Math.round(payloadBytes / 7.1) }
  return { rows, payloadBytes, storedBytes, compressionRatio: 7.2, contentHash: 'b2f0c1d4' }
}

/** A run of both scenarios: all arms pass `merge-partitions`; `wide-json` has a killed, a wrong and a skipped arm. */
export function madeUpResults({ repeat = 5, arms = Object.keys(SHAPES) }: MadeUpOptions = {}): Results {
  const rounds = Array.from({ length: repeat }, (_, repetition) => repetition)
  const plan = rounds.flatMap((repetition) => arms.map((arm) => ({ arm, repetition })))
  return {
    schemaVersion: 2,
    lakeduelVersion: '0.1.0',
    run: {
      id: 'made-up',
      startedAt: '2026-01-05T10:00:00.000Z',
      finishedAt: '2026-01-05T10:41:00.000Z',
      command: 'lakeduel bench --profile standard --repeat 5 --seed 7 --memory-cap 2GiB',
      plan: {
        scenarios: ['merge-partitions', 'wide-json'],
        arms: [...arms],
        profile: 'standard',
        axes: {},
        repeat,
        memoryCap: CAP_BYTES,
        control: false,
        network: 'loopback',
        seed: 7,
      },
      storage: { kind: 's3', origin: 'local', version: 'MinIO (made up)', loopback: true },
      network: null,
      floors: { node: { rssBytes: [44 * MIB, 45 * MIB], startMs: [38, 41] } },
    },
    environment: {
      cpuModel: 'A made-up processor',
      cores: 2,
      memoryBytes: 8 * 1024 * MIB,
      kernel: 'Linux 6.1',
      pageSizeBytes: 4096,
      limits: { memoryBytes: null, cpus: 2 },
      pod: { mechanism: 'cgroup-v1', reason: '' },
      git: { sha: '0123456789abcdef0123456789abcdef01234567', dirty: false },
      versions: {
        node: '24.21.0',
        duckdb: '1.5.5',
        ducklake: '1.0',
        deltalake: '1.6.6',
        deltalite: '0.1.15',
        python: '3.13.1',
        minio: 'made up',
        postgres: '18.4',
      },
    },
    scenarios: [
      madeUpScenario({
        name: 'merge-partitions',
        question: 'What does it cost to merge a batch that touches every partition of a table?',
        parameters: { partitions: 100, tableRows: 1_000_000, batchRows: 20_000, matchedShare: 0.5 },
        memoryCapBytes: CAP_BYTES,
        repeat,
        arms: [...arms],
        data: { table: madeUpData(1_000_000, 420 * MIB) },
      }),
      madeUpScenario({
        name: 'wide-json',
        question: 'Which arms upsert rows of megabytes of JSON within the memory of a small pod?',
        parameters: { rows: 200, rowBytes: 5_000_000, partitions: 10 },
        memoryCapBytes: CAP_BYTES,
        repeat,
        arms: [...arms],
        data: { table: madeUpData(200, 954 * MIB) },
      }),
    ],
    cells: [
      ...plan.map(({ arm, repetition }, order) => passedCell('merge-partitions', arm, repetition, order)),
      ...plan.map(({ arm, repetition }, index) => wideCell(arm, repetition, plan.length + index)),
    ],
    warnings: [],
  }
}

function wideCell(arm: string, repetition: number, order: number): Cell {
  if (arm === 'delta/merge' || arm === 'delta/merge-loop')
    return oomKilledCell('wide-json', arm, repetition, order)
  if (arm === 'delta/deltalite') return skippedCell('wide-json', arm, repetition, order)
  if (arm === 'ducklake/delete-insert' && repetition === 2)
    return wrongCell('wide-json', arm, repetition, order)
  return passedCell('wide-json', arm, repetition, order, 1.4)
}

/** `node test/reports/made-up-results.ts FILE` writes them as a results file, to look at a report of them. */
const [, script, target] = argv
if (import.meta.filename === script && target !== undefined)
  writeFileSync(target, JSON.stringify(madeUpResults()))
