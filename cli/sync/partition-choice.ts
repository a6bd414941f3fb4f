import { z } from 'zod'
import { type PartitionSpec, partitionSpecSchema } from '../../pipeline/state/model.ts'

const FORMS =
  'none, auto, md5:COLUMNS:COUNT, numerical:COLUMN:SIZE, datetime:COLUMN:FORMAT or datetime_md5:COLUMN:FORMAT:COLUMNS:COUNT (COLUMNS are joined by commas, FORMAT is hour, day, week or month)'

/** `auto` leaves the choice to the pipeline. */
export type PartitionChoice = 'auto' | PartitionSpec

/** A partitioning as one text, as flags and files name it. */
export const partitionChoiceSchema = z.string().transform((text, context): PartitionChoice => {
  const choice = text === 'auto' ? 'auto' : partitionSpecSchema.safeParse(specOf(text)).data
  if (choice !== undefined) return choice
  context.addIssue(`"${text}" is no partitioning; write ${FORMS}`)
  return z.NEVER
})

function specOf(text: string): unknown {
  const [mode, first = '', second = '', third = '', fourth = ''] = text.split(':')
  switch (mode) {
    case 'none':
      return { mode }
    case 'md5':
      return { mode, columns: columnsOf(first), count: Number(second) }
    case 'numerical':
      return { mode, column: first, size: Number(second) }
    case 'datetime':
      return { mode, column: first, format: second }
    case 'datetime_md5':
      return { mode, column: first, format: second, columns: columnsOf(third), count: Number(fourth) }
    default:
      return null
  }
}

function columnsOf(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '')
}
