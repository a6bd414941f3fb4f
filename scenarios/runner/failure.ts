import type { Cell } from '../../reports/schema.ts'

type FailureOf<Status extends Cell['status']> = Omit<
  Extract<Cell, { status: Status }>,
  'id' | 'scenario' | 'arm' | 'repetition' | 'order' | 'startedAt' | 'settings' | 'phase' | 'completed'
>

/** How a cell ended when it didn't reach its end, without what every cell has. */
export type Failure =
  | FailureOf<'oom-killed'>
  | FailureOf<'engine-out-of-memory'>
  | FailureOf<'hang'>
  | FailureOf<'failed'>

/** Thrown by whatever ends a cell early; the failure is the cell's result. */
export class CellFailed extends Error {
  override readonly name = 'CellFailed'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(`the cell ended as ${failure.status}`)
    this.failure = failure
  }
}
