import type { Progress } from '../../migrate/migrate.ts'
import { formatBytes, formatCount, formatDuration } from '../../reports/format.ts'

const BAR_CHARACTERS = 24
const LINE_EVERY_MS = 5_000

/** Shows moves while they go on, on stderr: a bar that moves on a terminal, a line now and then elsewhere. */
export class MoveDisplay implements Disposable {
  readonly #startedAt = performance.now()
  readonly #terminal = process.stderr.isTTY
  #lastLineAt = Number.NEGATIVE_INFINITY
  #drawn = false

  show(title: string, progress: Progress): void {
    const text = this.#describe(title, progress)
    if (this.#terminal) {
      this.#erase()
      process.stderr.write(text.slice(0, (process.stderr.columns || 80) - 1))
      this.#drawn = true
      return
    }
    const now = performance.now()
    const ends =
      progress.step !== 'moving' || (progress.version === null && progress.filesDone === progress.filesTotal)
    if (now - this.#lastLineAt < LINE_EVERY_MS && !ends) return
    this.#lastLineAt = now
    process.stderr.write(`${text}\n`)
  }

  [Symbol.dispose](): void {
    this.#erase()
  }

  #describe(title: string, shown: Progress): string {
    const elapsedMs = performance.now() - this.#startedAt
    if (shown.step !== 'moving') return `${title}: ${shown.step}, after ${formatDuration(elapsedMs)}`
    if (shown.version !== null)
      return `${title}: version ${shown.version.at} of ${shown.version.goal}, after ${formatDuration(elapsedMs)}`
    const { filesDone, filesTotal, bytesDone, bytesTotal } = shown
    const filled = filesTotal === 0 ? BAR_CHARACTERS : Math.round((filesDone / filesTotal) * BAR_CHARACTERS)
    const bar = '#'.repeat(filled).padEnd(BAR_CHARACTERS, '.')
    const perSecond = 1000 / elapsedMs
    const rate =
      filesDone === 0
        ? ''
        : `, ${formatCount(filesDone * perSecond)} files/s, ${formatBytes(bytesDone * perSecond)}/s`
    return `${title}: [${bar}] ${formatCount(filesDone)} of ${formatCount(filesTotal)} files, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${rate}`
  }

  #erase(): void {
    if (!this.#terminal || !this.#drawn) return
    process.stderr.cursorTo(0)
    process.stderr.clearLine(0)
    this.#drawn = false
  }
}
