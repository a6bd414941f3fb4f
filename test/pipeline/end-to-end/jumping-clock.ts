/**
 * For `node --import`: the clock of the process is set on by a day and a half two seconds after it started, and set back by
 * three days three seconds later. Timers go on as they do when a machine's clock is set.
 */
const HOUR_MS = 3_600_000
const trueNow = Date.now.bind(Date)
const startedAtMs = performance.now()

class JumpingDate extends Date {
  constructor(...given: ConstructorParameters<DateConstructor> | []) {
    if (given.length === 0) super(JumpingDate.now())
    else super(...given)
  }

  static override now(): number {
    const seconds = (performance.now() - startedAtMs) / 1_000
    return trueNow() + (seconds < 2 ? 0 : seconds < 5 ? 36 : -36) * HOUR_MS
  }
}

Object.defineProperty(globalThis, 'Date', { value: JumpingDate })
