import { NoConversion } from '../rewrite/read-expression.ts'
import { POSITION, selectedColumns } from '../rewrite/selection.ts'
import { footerProblems } from './check-files.ts'
import type { FilePlan } from './file-plan.ts'
import type { FilesPlan } from './plan-files.ts'

type Planned = Omit<FilesPlan, 'refusals'>

/** Why some of the files can't be moved, as sentences. */
export function fileRefusals(plan: Planned): readonly string[] {
  return [
    ...plan.files.flatMap(({ file, footer }) => footerProblems(file, footer)),
    ...missingRequired(plan),
    ...(plan.mode === 'register' ? unregistrable(plan.files) : []),
    ...hiddenPositions(plan),
    ...unreadable(plan),
  ]
}

function missingRequired({ columns, files }: Planned): readonly string[] {
  const required = new Set(columns.filter(({ nullable }) => !nullable).map(({ field }) => field.physicalName))
  return files.flatMap(({ file, missing, action }) =>
    action === 'skip'
      ? []
      : missing
          .filter((name) => required.has(name))
          .map((name) => `${file.uri} lacks the column ${name}, which may not be NULL`),
  )
}

function unregistrable(files: readonly FilePlan[]): readonly string[] {
  return files
    .filter(({ action }) => action === 'rewrite')
    .map(({ file, reasons }) => `${file.uri} can't be registered: ${reasons.join('; ')}`)
}

/** A rewrite leaves deleted rows out by their positions, which a column of that name hides. */
function hiddenPositions({ columns, files }: Planned): readonly string[] {
  if (!columns.some(({ field }) => field.physicalName.toLowerCase() === POSITION)) return []
  return files
    .filter(({ action, file }) => action === 'rewrite' && file.deletionVector !== null)
    .map(
      ({ file }) =>
        `${file.uri} has a deletion vector, and a column ${POSITION} that hides the positions of rows`,
    )
}

/** Files that would have to be rewritten and whose values nobody could read as the table's. */
function unreadable(plan: Planned): readonly string[] {
  const problems = new Map<string, string>()
  for (const [id, fileColumns] of plan.fileColumns) {
    try {
      selectedColumns(plan, fileColumns)
    } catch (error) {
      if (!(error instanceof NoConversion)) throw error
      problems.set(id, error.message)
    }
  }
  return plan.files.flatMap(({ file, footer, action }) => {
    const problem = action === 'rewrite' ? problems.get(footer.schema.id) : undefined
    return problem === undefined ? [] : [`${file.uri} can't be rewritten: ${problem}`]
  })
}
