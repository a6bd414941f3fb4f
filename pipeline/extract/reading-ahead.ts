import type { Page } from '../sources/source.ts'
import { otherTurns } from './turns.ts'

export interface AheadOptions {
  readonly pages: AsyncGenerator<Page, void, void>
  /** Makes a page safe; called for one page after the other. */
  readonly keep: (page: Page) => Promise<void>
  /** Bytes of the pages that may wait to be taken; one may, however large it is. */
  readonly waitingBytes: number
}

/** For pages that don't tell their bytes. */
const MOST_WAITING = 64

/**
 * Pages that are dear: each is kept as soon as it comes, and the next one is asked for at once, whatever is done meanwhile
 * with those before. A page is handed over when all before it are kept, and once the generator has ended, or was
 * stopped, nothing is being read or kept any more.
 */
export async function* readAhead(options: AheadOptions): AsyncGenerator<Page, void, void> {
  const ahead = new Ahead(options)
  try {
    for (let page = await ahead.take(); page !== null; page = await ahead.take()) {
      // The request for the page after it leaves first.
      await otherTurns()
      yield page
    }
  } finally {
    await ahead.stop()
  }
}

class Ahead {
  readonly #options: AheadOptions
  readonly #filling: Promise<void>
  readonly #waiting: Page[] = []
  #waitingBytes = 0
  #state: 'filling' | 'ended' | 'stopped' = 'filling'
  #changed = Promise.withResolvers<void>()

  constructor(options: AheadOptions) {
    this.#options = options
    this.#filling = this.#fill()
    // It is thrown to whoever takes a page after the last one that came.
    this.#filling.catch(() => undefined)
  }

  /** Null after the last page. */
  async take(): Promise<Page | null> {
    while (this.#waiting.length === 0 && this.#state === 'filling') await this.#changed.promise
    const page = this.#waiting.shift()
    if (page === undefined) {
      await this.#filling
      return null
    }
    this.#waitingBytes -= page.bytes ?? 0
    this.#tell()
    return page
  }

  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#tell()
    await this.#filling.catch(() => undefined)
    await this.#options.pages.return()
  }

  async #fill(): Promise<void> {
    const { pages, keep } = this.#options
    let keeping = Promise.resolve()
    try {
      while (this.#state === 'filling') {
        const { done, value: page } = await pages.next()
        await keeping
        if (done === true) return
        keeping = otherTurns().then(() => keep(page))
        keeping.catch(() => undefined)
        this.#add(page)
        while (!this.#hasRoom() && this.#state === 'filling') await this.#changed.promise
      }
    } finally {
      try {
        await keeping
      } finally {
        if (this.#state === 'filling') this.#state = 'ended'
        this.#tell()
      }
    }
  }

  #add(page: Page): void {
    this.#waiting.push(page)
    this.#waitingBytes += page.bytes ?? 0
    this.#tell()
  }

  #hasRoom(): boolean {
    const isWithin = this.#waitingBytes < this.#options.waitingBytes && this.#waiting.length < MOST_WAITING
    return isWithin || this.#waiting.length === 0
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
