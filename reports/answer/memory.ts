/** The first question: how much memory a merge into a lake table needs. */
import { formatRatio, formatValue } from '../format.ts'
import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import type { Answer } from './answer.ts'
import { bestOfBoth } from './best-of-both.ts'
import {
  bestOf,
  type Evidence,
  FORMAT_NAMES,
  FORMATS,
  type Format,
  largest,
  measuredTables,
  numberAt,
  pointsAlong,
  type Spot,
  sameArmAt,
} from './evidence.ts'
import {
  derived,
  joined,
  median,
  type Statement,
  state,
  timesOf,
  valueAt,
  withInterval,
} from './statement.ts'

const SCENARIO = 'memory-cap'
const CAP = 'leastCapBytes'
const FAILED_CAP = 'greatestFailedCapBytes'
const TO_STORED = 'capToStoredRatio'
const STORED = 'storedBytes'
const TABLE_SIZE = 'tableSize'
const ADDED = 'apply.memory.addedBytes'
/** A need that grows less than this while the table grows is called flat. */
const FLAT = 1.1

export function answerMemory(evidence: Evidence): Answer {
  const caps = evidence.get(SCENARIO)
  const growth = caps === undefined ? null : growthOf(caps, 'ducklake')
  return {
    question: 'How well does DuckDB manage memory when it merges into a lake table?',
    sentence: caps === undefined ? null : memorySentence(caps, growth),
    figures: [
      ...(caps === undefined ? [] : capFigures(caps, growth)),
      ...bestOfBoth(evidence, 'merge-partitions', ADDED, 'adds'),
      ...widthFigures(evidence.get('wide-json')),
      ...bestOfBoth(evidence, 'longevity', 'maintenanceAddedBytes', 'adds in maintenance'),
    ],
    tables: measuredTables(caps, [CAP, TO_STORED]),
    scenarios: [SCENARIO, 'merge-partitions', 'wide-json', 'longevity'],
    gaps: [
      ...(growth === null
        ? ['Whether the need grows with the table: a search at two table sizes or more would tell.']
        : []),
      'Memory that other work in the same pod needs: a pod holds one writer here, and nothing else.',
    ],
  }
}

/** The largest table tells most, since processes alone take a good part of what a small one needs. */
function memorySentence(caps: ScenarioSummary, growth: Growth | null): Statement | null {
  const point = largest(
    caps.points.filter((other) => bestOf(SCENARIO, other, CAP, 'ducklake') !== null),
    STORED,
  )
  const duck = point === null ? null : bestOf(SCENARIO, point, CAP, 'ducklake')
  if (point === null || duck === null) return null
  const delta = bestOf(SCENARIO, point, CAP, 'delta')
  const need = state`${duck.arm.arm} merges into ${median(duck, STORED)} of compressed table within ${capOf(duck)}, ${toStored(duck)} of it`
  return joined(
    [
      state`${judgement(duck, growth)}: ${need}`,
      delta === null
        ? null
        : state`the best Delta arm, ${delta.arm.arm}, needs ${capOf(delta)}, ${timesOf(delta, duck, CAP)} of that`,
      growth === null ? null : state`when the table grows ${growth.table}, the need grows ${growth.need}`,
    ],
    '; ',
  )
}

function judgement(duck: Spot, growth: Growth | null): Statement {
  const said = median(duck, CAP)
  if (growth === null) return derived('Measured at one table size', said)
  if (growth.needFactor < FLAT)
    return derived('Well, its need stays the same as the table grows', growth.need)
  if (growth.needFactor < Math.sqrt(growth.tableFactor))
    return derived('Fairly, its need grows much less than the table', growth.need)
  return derived('Badly, its need grows with the table', growth.need)
}

/** `192 MiB (171 MiB failed)`: the least cap that passed, and the greatest that didn't. */
export function capOf(spot: Spot): Statement {
  const failed = valueAt(spot, FAILED_CAP)
  const bound = failed === 0 ? 'no cap failed' : `${formatValue(failed, 'bytes')} failed`
  return derived(`${median(spot, CAP).text} (${bound})`, median(spot, CAP), median(spot, FAILED_CAP))
}

function toStored(spot: Spot): Statement {
  return derived(formatRatio(valueAt(spot, TO_STORED)), median(spot, TO_STORED))
}

interface Growth {
  readonly spot: Spot
  readonly tableFactor: number
  readonly needFactor: number
  readonly table: Statement
  readonly need: Statement
}

/** How the least cap of a format's best arm grows from its smallest to its largest table, where all else is the same. */
function growthOf(caps: ScenarioSummary, format: Format): Growth | null {
  const growths = pointsAlong(caps.points, TABLE_SIZE).flatMap((group) => {
    const sorted = group.toSorted((a, b) => (numberAt(a, TABLE_SIZE) ?? 0) - (numberAt(b, TABLE_SIZE) ?? 0))
    const [small, big] = [sorted[0], sorted.at(-1)]
    const most = big === undefined ? null : bestOf(SCENARIO, big, CAP, format)
    const least = small === undefined || most === null ? null : sameArmAt(most, small, CAP)
    return most === null || least === null ? [] : [growthBetween(least, most)]
  })
  return growths.toSorted((a, b) => b.tableFactor - a.tableFactor)[0] ?? null
}

function growthBetween(small: Spot, big: Spot): Growth {
  return {
    spot: big,
    tableFactor: valueAt(big, STORED) / valueAt(small, STORED),
    needFactor: valueAt(big, CAP) / valueAt(small, CAP),
    table: timesOf(big, small, STORED),
    need: timesOf(big, small, CAP),
  }
}

function capFigures(caps: ScenarioSummary, growth: Growth | null): readonly Statement[] {
  const needs = caps.points.flatMap((point) => describeNeed(point) ?? [])
  const delta = growthOf(caps, 'delta')
  const compared =
    growth === null || delta === null
      ? []
      : [
          state`While the table grows ${growth.table}, ${growth.spot.arm.arm} needs ${growth.need} as much and ${delta.spot.arm.arm} ${delta.need}.`,
        ]
  return [...needs, ...compared, ...caps.points.flatMap(describeMaintenance)]
}

function describeNeed(point: PointSummary): Statement | null {
  const needs = FORMATS.flatMap((format) => {
    const spot = bestOf(SCENARIO, point, CAP, format)
    return spot === null ? [] : [state`${spot.arm.arm} needs ${capOf(spot)}, ${toStored(spot)} of the table`]
  })
  const all = joined(needs, '; ')
  return all === null ? null : state`At ${point.label}: ${all}.`
}

/** A merge-on-read table needs maintenance afterwards, which has to fit the same pod. */
function describeMaintenance(point: PointSummary): readonly Statement[] {
  const spot = bestOf(SCENARIO, point, CAP, 'ducklake')
  const fails = spot?.arm.figures.get('maintenanceFailsUnderCap')
  if (spot === null || fails === undefined) return []
  const cap = median(spot, CAP)
  const failed = median(spot, 'maintenanceFailsUnderCap')
  if (fails.interval.median > 0) {
    const passed = spot.arm.figures.has('maintenanceCapBytes')
      ? state`; it passed in ${withInterval(spot, 'maintenanceCapBytes')}`
      : ''
    return [
      state`At ${point.label}, maintenance of ${spot.arm.arm} does not fit the ${derived(cap.text, cap, failed)} that its merge needs${passed}.`,
    ]
  }
  const time = spot.arm.figures.has('maintain.wallMs')
    ? state` and takes ${withInterval(spot, 'maintain.wallMs')}`
    : ''
  return [
    state`At ${point.label}, maintenance of ${spot.arm.arm} fits the same ${derived(cap.text, cap, failed)}${time}.`,
  ]
}

/** The widest row that an arm of each format wrote within the cap. */
function widthFigures(summary: ScenarioSummary | undefined): readonly Statement[] {
  if (summary === undefined) return []
  return FORMATS.flatMap((format) => {
    const passed = summary.points.flatMap((point) => bestOf('wide-json', point, ADDED, format) ?? [])
    const widest = passed.toSorted((a, b) => widthAt(b) - widthAt(a))[0]
    if (widest === undefined) return []
    const cap = summary.scenario.memoryCapBytes
    const within = cap === null ? 'without a cap' : `under a cap of ${formatValue(cap, 'bytes')}`
    const width = formatValue(widthAt(widest), 'bytes')
    return [
      state`Rows of ${width} are the widest that a ${FORMAT_NAMES[format]} arm wrote ${within}: ${widest.arm.arm} added ${withInterval(widest, ADDED)} (${widest.at}).`,
    ]
  })
}

function widthAt({ point }: Spot): number {
  return numberAt(point, 'rowBytes') ?? 0
}
