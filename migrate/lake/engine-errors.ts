import { translateError } from '../../backends/duckdb/errors.ts'
import { type ErrorCode, LakeduelError } from '../../platform/errors.ts'

const AGAIN =
  'What was committed stays, unseen by readers: run it again to go on behind it, or take it back with `lakeduel migrate rollback`.'

/** The engine's own advice speaks of the pipeline's batches. */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  COMMIT_CONFLICT: 'Another client wrote to the catalog at the same moment.',
  ENGINE_OUT_OF_MEMORY: 'Raise --max-memory.',
  BATCH_INVALID: '',
  ENGINE_FAILED: '',
}

/**
 * Runs a step of a migration, and translates what the engine throws.
 * @param again what is there now, and how to go on
 */
export async function engineStep<T>(
  doing: string,
  facts: Readonly<Record<string, unknown>>,
  action: () => Promise<T>,
  again = AGAIN,
): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof LakeduelError) throw cause
    const { code, message, remedy } = translateError(cause, doing)
    const advice = [REMEDIES[code] ?? remedy ?? '', again].filter((text) => text !== '').join(' ')
    throw new LakeduelError(code, message, { facts, cause, remedy: advice })
  }
}
