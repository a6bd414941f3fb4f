import type { Verdict } from '../compare/judgement.ts'
import type { Comparison } from '../compare.ts'
import type { SoundCell } from '../schema.ts'
import { withNoisyValues } from './noisy-values.ts'

/** Something that is done to every cell of the candidate, and where a gate has to see it. */
export interface Effect {
  readonly name: string
  readonly plant: (cell: SoundCell) => SoundCell
  /** What the comparison says of it: `worse` is that it was found. */
  readonly verdictIn: (comparison: Comparison) => Verdict
}

export const EFFECTS: readonly Effect[] = [
  ...[1.05, 1.1, 1.2, 1.5].map(slower),
  ...[1.05, 1.1, 1.25].map(hungrier),
  { name: 'one more S3 request', plant: oneMoreRequest, verdictIn: verdictOn('apply.s3.requests') },
  { name: 'one more file', plant: oneMoreFile, verdictIn: verdictOn('storedObjectsAfter') },
  {
    name: 'one lost row, the oracle content',
    plant: oneLostRow,
    verdictIn: ({ verdict }) => (verdict === 'wrong-data' ? 'worse' : 'same'),
  },
]

function slower(factor: number): Effect {
  return {
    name: `${percent(factor)} more time`,
    plant: (cell) =>
      withNoisyValues(cell, (name, value) =>
        name === 'apply.wallMs' ? value * factor : name.endsWith('PerSecond') ? value / factor : value,
      ),
    verdictIn: verdictOn('apply.wallMs'),
  }
}

function hungrier(factor: number): Effect {
  return {
    name: `${percent(factor)} more memory`,
    plant: (cell) =>
      withNoisyValues(cell, (name, value) => (name === 'apply.memory.addedBytes' ? value * factor : value)),
    verdictIn: verdictOn('apply.memory.addedBytes'),
  }
}

function percent(factor: number): string {
  return `${Math.round((factor - 1) * 100)} %`
}

function verdictOn(metric: string): Effect['verdictIn'] {
  return ({ judgements }) => judgements.find((judgement) => judgement.metric === metric)?.verdict ?? 'same'
}

function oneMoreRequest(cell: SoundCell): SoundCell {
  const { apply } = cell.phases
  if (apply?.s3.status !== 'measured') return cell
  const { requests, byOperation } = apply.s3
  const more = { ...byOperation, GetObject: (byOperation['GetObject'] ?? 0) + 1 }
  const s3 = { ...apply.s3, requests: requests + 1, byOperation: more }
  return { ...cell, phases: { ...cell.phases, apply: { ...apply, s3 } } }
}

function oneMoreFile(cell: SoundCell): SoundCell {
  const stored = cell.metrics['storedObjectsAfter']
  if (stored === undefined) return cell
  return { ...cell, metrics: { ...cell.metrics, storedObjectsAfter: { ...stored, value: stored.value + 1 } } }
}

function oneLostRow(cell: SoundCell): SoundCell {
  const { oracle } = cell
  if (oracle === null) return cell
  return { ...cell, oracle: { ...oracle, rows: oracle.rows - 1, contentHash: `${oracle.contentHash}-lossy` } }
}
