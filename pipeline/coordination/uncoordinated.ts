import { attempt } from './attempts.ts'
import type {
  Coordinator,
  CoordinatorOptions,
  SharedBatch,
  SharedResult,
  SharedTable,
} from './coordinator.ts'
import { replay } from './replay.ts'

/** `none`: every writer by itself. What the format's own check of conflicts lets pass, passes. */
export class UncoordinatedWriters implements Coordinator {
  readonly kind = 'none'
  readonly #options: CoordinatorOptions

  constructor(options: CoordinatorOptions) {
    this.#options = options
  }

  async apply({ handle }: SharedTable, { batch, mode, tag, columns }: SharedBatch): Promise<SharedResult> {
    const { alreadyApplied, version } = await replay(this.#options.replay, async () => {
      if (columns.length > 0) await handle.evolve(columns)
      return attempt(handle, [{ batch, tag }], mode, this.#options.observe)
    })
    return { alreadyApplied, version, batchesTogether: 1 }
  }

  /** Nobody is kept out, so that it may conflict with a batch, and starts again then. */
  alone<T>(_uri: string, action: () => Promise<T>): Promise<T> {
    return replay(this.#options.replay, action)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
