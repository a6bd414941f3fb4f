import type { MoveProgress } from '../../migrate/move/move.ts'
import { formatBytes, formatCount, formatDuration } from '../../reports/format.ts'

const BAR_CHARACTERS = 24
const LINE_EVERY_MS = 5_000

/** Shows a move while it goes on, on stderr: a bar that moves on a terminal, a line now and then elsewhere. */
export class MoveDisplay implements Disposable {
  readonly #title: string
  readonly #startedAt = performance.now()
  readonly #terminal = process.stderr.isTTY
  #lastLineAt = Number.NEGATIVE_INFINITY
  #drawn = false

  constructor(title: string) {
    this.#title = title
  }

  show(progress: MoveProgress): void {
    const text = this.#describe(progress)
    if (this.#terminal) {
      this.#erase()
      process.stderr.write(text.slice(0, (process.stderr.columns || 80) - 1))
      this.#drawn = true
      return
    }
    const now = performance.now()
    const ends = progress.filesDone === progress.filesTotal
    if (now - this.#lastLineAt < LINE_EVERY_MS && !ends) return
    this.#lastLineAt = now
    process.stderr.write(`${text}\n`)
  }

  /** A line that stays. */
  line(text: string): void {
    this.#erase()
    process.stderr.write(`${text}\n`)
  }

  [Symbol.dispose](): void {
    this.#erase()
  }

  #describe({ step, filesDone, filesTotal, bytesDone, bytesTotal }: MoveProgress): string {
    const elapsedMs = performance.now() - this.#startedAt
    if (step !== 'moving') return `${this.#title}: ${step}, ${formatDuration(elapsedMs)}`
    const filled = filesTotal === 0 ? BAR_CHARACTERS : Math.round((filesDone / filesTotal) * BAR_CHARACTERS)
    const bar = '#'.repeat(filled).padEnd(BAR_CHARACTERS, '.')
    const rate =
      filesDone === 0
        ? ''
        : `, ${formatCount((filesDone / elapsedMs) * 1000)} files/s, ${formatBytes((bytesDone / elapsedMs) * 1000)}/s`
    return `${this.#title}: [${bar}] ${formatCount(filesDone)} of ${formatCount(filesTotal)} files, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${rate}`
  }

  #erase(): void {
    if (!this.#terminal || !this.#drawn) return
    process.stderr.cursorTo(0)
    process.stderr.clearLine(0)
    this.#drawn = false
  }
}
