import type { FilePlan } from './file-plan.ts'

/** Who may delete or change what afterwards. Sentences. */
export function risksOf(files: readonly FilePlan[]): readonly string[] {
  const registered = files.filter(({ action }) => action === 'register' || action === 'register-and-delete')
  if (registered.length === 0) {
    return files.length === 0
      ? []
      : [
          'No file of the Delta table will be used by DuckLake: either side may be cleaned up without the other.',
        ]
  }
  return [
    `${registered.length} files will belong to both tables. DuckLake won't delete them unless --own is given; a VACUUM of the Delta table that removes one of them, or the removal of its folder, takes their rows from DuckLake, too.`,
    'Stop VACUUM and OPTIMIZE of the Delta table before the move, and its writers before the cutover: later commits are not seen unless `lakeduel migrate follow` applies them.',
    'DuckLake writes new files for rows that it changes, in its own DATA_PATH; the Delta table stays as it was at the planned version.',
  ]
}
