import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'

const statsSchema = z.object({
  requests: z.record(z.string(), z.number()),
  pages: z.record(z.string(), z.number()),
  pagesRepeated: z.record(z.string(), z.number()),
})
export type PagingStats = z.infer<typeof statsSchema>

/** The Stripe-protocol server in a process of its own, so that its work is not the measured processes'. */
export class StripeProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ReturnType<typeof start>

  private constructor(child: ReturnType<typeof start>, url: string) {
    this.#child = child
    this.url = url
  }

  /** @param entry the script of `cli/processes/stripe-server` @param options as the server takes them */
  static async start(entry: URL, options: object): Promise<StripeProcess> {
    const child = start(entry)
    child.stdin.write(`${JSON.stringify(options)}\n`)
    const lines = createInterface({ input: child.stdout })
    for await (const line of lines)
      return new StripeProcess(child, z.object({ url: z.string() }).parse(JSON.parse(line)).url)
    throw new LakeduelError('SETUP_FAILED', 'The Stripe-protocol server ended before it listened.')
  }

  async stats(): Promise<PagingStats> {
    const response = await fetch(`${this.url}/__stats`)
    return statsSchema.parse(await response.json())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    await this.#child
  }
}

function start(entry: URL) {
  return execa(process.execPath, [fileURLToPath(entry)], { reject: false })
}
