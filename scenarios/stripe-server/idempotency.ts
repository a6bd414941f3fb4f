import { otherParameters } from './errors.ts'

/** What was made by requests that carried an idempotency key: the same request again makes nothing and gets the same. */
export class IdempotentRequests {
  readonly #made = new Map<string, { readonly parameters: string; readonly index: number }>()

  /**
   * The index of what was made with the key, or null for a key that is new.
   * @throws StripeApiError when the key came with other parameters before
   */
  recall(key: string, parameters: string): number | null {
    const made = this.#made.get(key)
    if (made === undefined) return null
    if (made.parameters !== parameters) throw otherParameters(key)
    return made.index
  }

  remember(key: string, parameters: string, index: number): void {
    this.#made.set(key, { parameters, index })
  }
}
