/** MADE-UP results of the scenarios that the answers draw on, for tests that turn a verdict by turning a figure. */
import type { Cell, Metric, Point, Results, Scenario } from '../../../reports/schema.ts'
import { madeUpResults, madeUpScenario, measuredCell } from '../made-up-results.ts'

const MIB = 1024 ** 2

const bytes = (value: number): Metric => ({ value, unit: 'bytes', better: 'lower', kind: 'memory' })
const count = (value: number): Metric => ({ value, unit: 'count', better: 'lower', kind: 'count' })
const ms = (value: number): Metric => ({ value, unit: 'ms', better: 'lower', kind: 'time' })

/** A results file of some scenarios with their cells. */
export function resultsOf(
  parts: readonly { readonly scenario: Scenario; readonly cells: readonly Cell[] }[],
): Results {
  const { run, ...rest } = madeUpResults({ repeat: 1 })
  return {
    ...rest,
    run,
    scenarios: parts.map(({ scenario }) => scenario),
    cells: parts.flatMap(({ cells }) => cells),
  }
}

/** By arm, the least cap in MiB at table sizes 1 and 4, which are 100 and 400 MiB. */
export type Caps = Readonly<Record<string, readonly [small: number, large: number]>>

export function memoryCap(caps: Caps) {
  const sizes = [1, 4]
  const cells = Object.entries(caps).flatMap(([arm, needs]) =>
    sizes.map((tableSize, index) => {
      const cap = (needs[index] ?? 0) * MIB
      const stored = tableSize * 100 * MIB
      return measuredCell(
        { scenario: 'memory-cap', arm, repetition: 0, point: { tableSize } },
        {
          leastCapBytes: bytes(cap),
          greatestFailedCapBytes: bytes(cap * 0.9),
          capToStoredRatio: { value: cap / stored, unit: 'ratio', better: 'lower', kind: 'memory' },
          storedBytes: { ...bytes(stored), better: 'neither' },
          maintenanceFailsUnderCap: count(0),
        },
      )
    }),
  )
  const axes = [{ name: 'tableSize', unit: null, description: 'times the rows', values: sizes }]
  return { scenario: madeUpScenario({ name: 'memory-cap', axes, repeat: 1 }), cells }
}

interface Pace {
  readonly commitsPerSecond: number
  readonly rowsLost?: number
}

/** By arm and coordination, the pace of 1 and of 16 writers on their own partitions. */
export type Paces = Readonly<Record<string, Readonly<Record<string, readonly [one: Pace, many: Pace]>>>>

export function concurrency(paces: Paces, repeat = 3) {
  const writers = [1, 16]
  const rounds = Array.from({ length: repeat }, (_, repetition) => repetition)
  const cells = Object.entries(paces).flatMap(([arm, byCoordination]) =>
    Object.entries(byCoordination).flatMap(([coordination, both]) =>
      both.flatMap((pace, index) =>
        rounds.map((repetition) =>
          writersCell(
            arm,
            {
              writers: writers[index] ?? 0,
              operation: 'upsert-existing',
              target: 'own-partition',
              coordination,
            },
            repetition,
            pace,
          ),
        ),
      ),
    ),
  )
  const axis = (name: string, values: readonly (string | number)[]) => ({
    name,
    unit: null,
    description: name,
    values: [...values],
  })
  const coordinations = [
    ...new Set(Object.values(paces).flatMap((byCoordination) => Object.keys(byCoordination))),
  ]
  const axes = [
    axis('writers', writers),
    axis('operation', ['upsert-existing']),
    axis('target', ['own-partition']),
    axis('coordination', coordinations),
  ]
  return { scenario: madeUpScenario({ name: 'concurrency', axes, repeat }), cells }
}

function writersCell(arm: string, point: Point, repetition: number, pace: Pace): Cell {
  const { commitsPerSecond, rowsLost = 0 } = pace
  const cell = measuredCell(
    { scenario: 'concurrency', arm, repetition, point },
    {
      commitsPerSecond: {
        value: commitsPerSecond * (1 + repetition * 0.01),
        unit: 'commits/s',
        better: 'higher',
        kind: 'rate',
      },
      attemptsPerCommit: { value: 1.5, unit: 'per-commit', better: 'lower', kind: 'count' },
      commitLatencyP50Ms: ms(100),
      commitLatencyP99Ms: ms(700),
      rowsLost: count(rowsLost),
      rowsDoubled: count(0),
    },
  )
  const findings = [{ check: 'rows', expected: '100', actual: String(100 - rowsLost) }]
  return rowsLost === 0 ? cell : { ...cell, status: 'wrong-data', findings }
}

export const pace = (commitsPerSecond: number, rowsLost = 0): Pace => ({ commitsPerSecond, rowsLost })

/** Lines from stored invoices take `storedMs`, from listed ones `listedMs`. */
export function nested(storedMs: number, listedMs: number) {
  const cells = Object.entries({ stored: storedMs, listed: listedMs }).map(([parents, wallMs]) =>
    measuredCell(
      { scenario: 'nested', arm: 'ducklake/merge', repetition: 0, point: { parents, invoices: 400 } },
      { wallMs: ms(wallMs) },
    ),
  )
  const axes = [
    { name: 'parents', unit: null, description: 'where from', values: ['stored', 'listed'] },
    { name: 'invoices', unit: 'rows', description: 'invoices', values: [400] },
  ]
  return { scenario: madeUpScenario({ name: 'nested', axes, repeat: 1 }), cells }
}
