import { otherParameters } from './errors.ts'

interface Remembered {
  readonly parameters: string
  readonly answer: string
}

/** Answers of requests that carried an idempotency key: the same request again gets the same answer and does nothing. */
export class IdempotentAnswers {
  readonly #answers = new Map<string, Remembered>()

  /**
   * The answer of before, or null for a key that is new.
   * @throws StripeApiError when the key came with other parameters before
   */
  recall(key: string, parameters: string): string | null {
    const remembered = this.#answers.get(key)
    if (remembered === undefined) return null
    if (remembered.parameters !== parameters) throw otherParameters(key)
    return remembered.answer
  }

  remember(key: string, parameters: string, answer: string): void {
    this.#answers.set(key, { parameters, answer })
  }
}
