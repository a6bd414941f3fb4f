import { parseTableName } from '../../migrate/lake/table-name.ts'
import { DeltaLog } from '../../migrate/log/log.ts'
import { readSnapshot } from '../../migrate/log/snapshot.ts'
import { planColumns } from '../../migrate/plan/columns.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { loadFinished } from '../../migrate/state/state.ts'
import { verifyHistory } from '../../migrate/verify/history.ts'
import { verifyTable, withHistory } from '../../migrate/verify/verify.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { print } from '../source/print.ts'
import { openTarget, type ProofCliOptions } from './lake-options.ts'
import { writeProof } from './proof-report.ts'
import { proofLines } from './proof-text.ts'
import { openMigrateSurroundings } from './surroundings.ts'

/** `lakeduel migrate verify`: ends with 1 where the table isn't proved. */
export async function verify(options: ProofCliOptions): Promise<void> {
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using lake = await openTarget(surroundings, options, { readOnly: true })
  const target = parseTableName(options.table)
  const state = await loadFinished(lake, target)
  await using source = await openSource(parseLocation(state.source.uri), surroundings)
  const log = await DeltaLog.open(source)
  const snapshot = await readSnapshot(log, state.version)
  const expected = { snapshot, columns: planColumns(snapshot.table).columns }
  const atLast = await verifyTable(surroundings, source, lake, target, expected, {
    rowByRow: options.rows ?? false,
    anyColumnOrder: state.base !== state.version,
  })
  const proof =
    state.base === state.version
      ? atLast
      : await withHistory(atLast, verifyHistory(surroundings, log, lake, target, state))
  const written = options.report === undefined ? [] : await writeProof(options.report, proof)
  print(options, proof, [...proofLines(proof), ...written.map((path) => `  ${path}`)].join('\n'))
  if (!proof.passed) process.exitCode = 1
}
