import type { RowDifferences } from './except.ts'
import type { FilterCheck } from './filters.ts'
import type { Proof, ReaderVerdict } from './proof.ts'
import { kernelReader } from './readers.ts'

/** A reader that is alone against the lake and the other reader has it wrong; that is told, and no failure. */
export function conclude(
  readers: readonly ReaderVerdict[],
  filters: FilterCheck,
  rowByRow: RowDifferences | null,
): Pick<Proof, 'passed' | 'verdict'> {
  const of = (outcome: ReaderVerdict['outcome']) => readers.filter((reader) => reader.outcome === outcome)
  const [same, different] = [of('same'), of('different')]
  const see = (some: readonly ReaderVerdict[]) => (some.length > 1 ? 'see' : 'sees')
  const names = (some: readonly ReaderVerdict[]) => some.map(({ reader }) => reader).join(' and ')
  if (same.length === 0 && different.length === 0) {
    return { passed: false, verdict: 'No reader could read the Delta table, so nothing is proved.' }
  }
  if (filters.wrong.length > 0) {
    return { passed: false, verdict: `${filters.wrong.length} filters give other rows than a scan does.` }
  }
  if (same.length === 0)
    return { passed: false, verdict: `${names(different)} ${see(different)} other rows in the Delta table.` }
  const kernelAgrees = same.some(({ reader }) => reader === kernelReader.name)
  if (kernelAgrees && rowByRow !== null && rowByRow.onlyInDelta + rowByRow.onlyInLake > 0) {
    return { passed: false, verdict: 'Rows differ, though their sums are alike.' }
  }
  const against = different.length === 0 ? '' : ` ${names(different)} alone sees others, against both.`
  return {
    passed: true,
    verdict: `The table has exactly the rows that ${names(same)} ${see(same)}.${against}`,
  }
}
