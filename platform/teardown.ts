/**
 * Undoes what was done, last first, and goes on when one step fails.
 * (`AsyncDisposableStack` would do, but Node has it from version 24 and the published package supports 22.18.)
 */
export class Teardown implements AsyncDisposable {
  readonly #steps: (() => Promise<void>)[] = []

  defer(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** @throws AggregateError with what failed, after every step was tried */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      await step().catch((error: unknown) => failures.push(error))
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, 'Several things could not be cleaned up')
  }
}
