/** Where a step may work, and how it tells what it is doing. */
export interface StepContext {
  readonly home: string
  /** An empty folder on the same volume as `home`, removed after the step. */
  readonly workDir: string
  readonly signal: AbortSignal | undefined
  readonly report: (line: string) => void
}

/** One thing that set-up makes. It is made elsewhere and renamed into place, so what is found is whole. */
export interface Step<T> {
  readonly title: string
  /** Quick; null when it is to be made. */
  find(home: string): Promise<T | null>
  make(context: StepContext): Promise<T>
}
