import { formatBytes, formatDuration } from '../../reports/format.ts'
import type { Cell, Point } from '../../reports/schema.ts'
import type { BenchEvents } from '../../scenarios/runner/bench.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

const TICK_MS = 500

/** Shows a run while it goes on, on stderr: a line for each finished cell, and on a terminal a last line that moves. */
export class Display implements BenchEvents, Disposable {
  readonly #terminal = process.stderr.isTTY
  readonly #timer: NodeJS.Timeout | null
  #total = 0
  #done = 0
  #cellsStartedAt = 0
  #doing = ''
  #doingSince = performance.now()

  constructor() {
    this.#timer = this.#terminal ? setInterval(() => this.#draw(), TICK_MS) : null
  }

  readonly onScenario = (scenario: Scenario, cells: number): void => {
    this.#total = cells
    this.#done = 0
    this.#cellsStartedAt = 0
    this.#line(`\n${scenario.name}: ${scenario.question}`)
  }

  readonly onPreparing = (what: string, done: number, total: number): void => {
    this.#now(total > 1 ? `${what}, ${done} of ${total}` : what)
    if (!this.#terminal && done === 0) this.#line(`  ${what}`)
  }

  readonly onPhase: BenchEvents['onPhase'] = (cell, phase) => {
    if (this.#cellsStartedAt === 0) this.#cellsStartedAt = performance.now()
    this.#now(
      `[${this.#done + 1}/${this.#total}] ${cell.arm}${pointText(cell.point)} #${cell.repetition + 1}: ${phase}${this.#timeLeft()}`,
    )
  }

  readonly onCell = (cell: Cell): void => {
    this.#done += 1
    const count = `[${String(this.#done).padStart(String(this.#total).length)}/${this.#total}]`
    this.#line(
      `  ${count} ${cell.arm.padEnd(22)}${pointText(cell.point)} #${cell.repetition + 1}${cell.control ? ' (again)' : ''}  ${outcome(cell)}`,
    )
  };

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#erase()
  }

  #timeLeft(): string {
    if (this.#done === 0) return ''
    const eachMs = (performance.now() - this.#cellsStartedAt) / this.#done
    return ` (about ${formatDuration(eachMs * (this.#total - this.#done))} left)`
  }

  #now(text: string): void {
    this.#doing = text
    this.#doingSince = performance.now()
    this.#draw()
  }

  #line(text: string): void {
    this.#erase()
    process.stderr.write(`${text}\n`)
    this.#draw()
  }

  #draw(): void {
    if (!this.#terminal || this.#doing === '') return
    this.#erase()
    const elapsed = formatDuration(performance.now() - this.#doingSince)
    process.stderr.write(`  ${this.#doing} … ${elapsed}`.slice(0, (process.stderr.columns || 80) - 1))
  }

  #erase(): void {
    if (!this.#terminal) return
    process.stderr.clearLine(0)
    process.stderr.cursorTo(0)
  }
}

function pointText(point: Point): string {
  const values = Object.entries(point).map(([axis, value]) => `${axis}=${String(value)}`)
  return values.length === 0 ? '' : ` ${values.join(' ')}`
}

function outcome(cell: Cell): string {
  switch (cell.status) {
    case 'ok': {
      const { apply } = cell.phases
      return apply === undefined
        ? 'ok'
        : `${formatDuration(apply.wallMs).padStart(8)}  +${formatBytes(apply.memory.addedBytes).padEnd(9)} ok`
    }
    case 'wrong-data':
      return `WRONG DATA: ${cell.findings.map(({ check }) => check).join(', ')}`
    case 'oom-killed':
      return `killed for memory in ${cell.phase} at a cap of ${formatBytes(cell.capBytes)}`
    case 'engine-error':
      return `failed in ${cell.phase}: ${cell.code}: ${firstLine(cell.message)}`
    case 'hang':
      return `hung in ${cell.phase}: no end after ${formatDuration(cell.afterMs)}`
    case 'skipped':
      return `skipped: ${cell.reason}`
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
