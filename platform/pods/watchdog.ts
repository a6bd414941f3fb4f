export interface Hang {
  /** Whether the process was silent for too long, or went on for too long in all. */
  readonly reason: 'silence' | 'deadline'
  /** Since the watchdog was started. */
  readonly afterMs: number
}

export interface WatchdogLimits {
  /** Longest time without a sign of life; null where the process gives none. */
  readonly silenceMs: number | null
  /** Longest time in all. */
  readonly deadlineMs: number
}

/** Calls `onHang` once, when a process has been silent or busy for too long; the callee kills the pod. */
export class Watchdog implements Disposable {
  readonly #startedAt = performance.now()
  readonly #onHang: (hang: Hang) => void
  readonly #deadline: NodeJS.Timeout
  readonly #silence: NodeJS.Timeout | null
  #hang: Hang | null = null

  constructor(limits: WatchdogLimits, onHang: (hang: Hang) => void) {
    this.#onHang = onHang
    this.#deadline = setTimeout(() => this.#fire('deadline'), limits.deadlineMs)
    this.#silence =
      limits.silenceMs === null ? null : setTimeout(() => this.#fire('silence'), limits.silenceMs)
  }

  /** What it fired for, or null. */
  get hang(): Hang | null {
    return this.#hang
  }

  /** A sign of life. */
  beat(): void {
    if (this.#hang === null) this.#silence?.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline)
    if (this.#silence !== null) clearTimeout(this.#silence)
  }

  #fire(reason: Hang['reason']): void {
    this[Symbol.dispose]()
    this.#hang = { reason, afterMs: performance.now() - this.#startedAt }
    this.#onHang(this.#hang)
  }
}
