import type { BatchPartition } from './batch.ts'
import type { TouchedFile } from './touched.ts'

/** What becomes one new file: stored files without their rows that are replaced, and the batch's rows of the partition. */
export interface Job {
  readonly partition: BatchPartition
  readonly files: readonly TouchedFile[]
  /** Whether the rows of the batch go here; if they go anywhere, they do in exactly one job of each partition. */
  readonly takesBatch: boolean
}

export interface Work {
  readonly partitions: readonly BatchPartition[]
  /** The files that are written anew. */
  readonly replaced: readonly TouchedFile[]
  /** The indexes of the partitions that rows of the batch are written to. */
  readonly bringing: ReadonlySet<number>
}

/**
 * Deals the files that are written anew out to jobs: small ones of a partition are put together up to the target size, so
 * that files don't become more with every upsert, and the rows of the batch go where the least is.
 */
export function planJobs({ partitions, replaced, bringing }: Work, targetFileBytes: number): readonly Job[] {
  const byPartition = Map.groupBy(replaced, ({ partitionIndex }) => partitionIndex)
  return partitions.flatMap((partition) => {
    const groups = groupFiles(byPartition.get(partition.index) ?? [], targetFileBytes)
    const smallest = groups.toSorted((left, right) => bytesOf(left) - bytesOf(right))[0]
    return groups
      .map((files) => ({ partition, files, takesBatch: bringing.has(partition.index) && files === smallest }))
      .filter(({ files, takesBatch }) => takesBatch || files.length > 0)
  })
}

/** At least one group, which may be empty. */
function groupFiles(
  files: readonly TouchedFile[],
  targetFileBytes: number,
): readonly (readonly TouchedFile[])[] {
  const groups: TouchedFile[][] = [[]]
  for (const file of files.toSorted((left, right) => left.bytes - right.bytes)) {
    const last = groups.at(-1)
    if (last === undefined || (last.length > 0 && bytesOf(last) + file.bytes > targetFileBytes))
      groups.push([file])
    else last.push(file)
  }
  return groups
}

export function bytesOf(files: readonly TouchedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
