import { type DataFile, deletionVectorId } from '../log/data-file.ts'

/** What a commit changes in the files of a table, in the end: a file that it removes and adds again is one change. */
export interface FileChanges {
  readonly added: readonly DataFile[]
  readonly removed: readonly DataFile[]
  /** Files that stay, with other deleted rows. */
  readonly redeleted: readonly { readonly before: DataFile; readonly after: DataFile }[]
}

export function fileChanges(before: readonly DataFile[], after: readonly DataFile[]): FileChanges {
  const then = new Map(before.map((file) => [file.uri, file]))
  const now = new Map(after.map((file) => [file.uri, file]))
  return {
    added: after.filter(({ uri }) => !then.has(uri)),
    removed: before.filter(({ uri }) => !now.has(uri)),
    redeleted: after.flatMap((file) => {
      const earlier = then.get(file.uri)
      return earlier === undefined || vectorOf(earlier) === vectorOf(file)
        ? []
        : [{ before: earlier, after: file }]
    }),
  }
}

function vectorOf({ deletionVector }: DataFile): string {
  return deletionVector === null ? '' : deletionVectorId(deletionVector)
}
