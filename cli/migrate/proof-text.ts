import type { Proof } from '../../migrate/verify/proof.ts'
import { formatDuration } from '../../reports/format.ts'

/** A proof for people, as lines. */
export function proofLines(proof: Proof): readonly string[] {
  return [
    `${proof.passed ? 'Proved' : 'NOT proved'}: ${proof.verdict}`,
    `  ${proof.rows} rows, ${proof.columns.length} columns, ${proof.partitions} partitions, ${proof.filters.checked} filters tried; snapshot ${proof.snapshot}`,
    ...proof.schema.map(({ subject, delta, lake }) => `  ${subject}: ${delta} in Delta, ${lake} in DuckLake`),
    ...proof.readers.flatMap((reader) => [
      `  ${reader.reader}: ${reader.outcome}${reader.message === null ? '' : ` (${reader.message})`}, ${formatDuration(reader.durationMs)}`,
      ...reader.differences.map(
        ({ subject, delta, lake }) => `    ${subject}: ${delta} in Delta, ${lake} in DuckLake`,
      ),
    ]),
    ...proof.filters.wrong.map(
      ({ filter, scanned, filtered }) => `  WHERE ${filter}: ${filtered} rows, and ${scanned} by a scan`,
    ),
    ...rowLines(proof),
    ...historyLines(proof),
  ]
}

function rowLines({ rowByRow }: Proof): readonly string[] {
  if (rowByRow === null) return []
  const { oneIn, rowsCompared, onlyInLake, onlyInDelta, examplesInLake, examplesInDelta } = rowByRow
  return [
    `  row by row${oneIn === 1 ? '' : ` (one in ${oneIn})`}: ${rowsCompared} compared, ${onlyInLake} only in DuckLake, ${onlyInDelta} only in Delta`,
    ...examplesInLake.map((row) => `    only in DuckLake: ${row}`),
    ...examplesInDelta.map((row) => `    only in Delta: ${row}`),
  ]
}

function historyLines({ history }: Proof): readonly string[] {
  if (history.length === 0) return []
  const same = history.filter(({ outcome }) => outcome === 'same')
  return [
    `  time travel: ${same.length} of ${history.length} versions give the same rows`,
    ...history
      .filter(({ outcome }) => outcome !== 'same')
      .map(
        ({ version, snapshot, outcome, problem }) =>
          `    version ${version} (snapshot ${snapshot}): ${outcome}, ${problem ?? ''}`,
      ),
  ]
}
