import type { Cell } from '../../reports/schema.ts'

/** What is in every cell that ended early, apart from how it ended. */
type Common = keyof Extract<Cell, { status: 'hang' }> & keyof Extract<Cell, { status: 'engine-error' }>

type FailureOf<Status extends Cell['status']> = Omit<
  Extract<Cell, { status: Status }>,
  Exclude<Common, 'status'>
>

/** How a cell ended when it didn't reach its end, without what every cell has. */
export type Failure = FailureOf<'oom-killed'> | FailureOf<'engine-error'> | FailureOf<'hang'>

/** Thrown by whatever ends a cell early; the failure is the cell's result. */
export class CellFailed extends Error {
  override readonly name = 'CellFailed'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(`the cell ended as ${failure.status}`)
    this.failure = failure
  }
}
