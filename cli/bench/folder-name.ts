/** Of the folder of a run: sortable, and another one each second, as 2026-11-22T21-20-05. */
export function folderName(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(':', '-')
}
