import { cellId, type Results } from '../schema.ts'

/**
 * Several short runs of the same thing as one: the repetitions of each later run follow those of the runs before.
 * @throws RangeError without any run
 */
export function mergeRounds(rounds: readonly Results[]): Results {
  const [first] = rounds
  if (first === undefined) throw new RangeError('There is no run to merge.')
  const cells = rounds.flatMap((round, index) => {
    const before = rounds.slice(0, index).reduce((sum, earlier) => sum + repetitionsOf(earlier), 0)
    return round.cells.map((cell) => {
      const moved = { ...cell, repetition: before + cell.repetition }
      return { ...moved, id: cellId(moved) }
    })
  })
  const repeat = rounds.reduce((sum, round) => sum + repetitionsOf(round), 0)
  return {
    ...first,
    run: { ...first.run, finishedAt: rounds.at(-1)?.run.finishedAt ?? null },
    scenarios: first.scenarios.map((scenario) => ({ ...scenario, repeat: Math.max(1, repeat) })),
    cells,
    warnings: rounds.flatMap(({ warnings }) => warnings),
  }
}

function repetitionsOf({ cells }: Results): number {
  return Math.max(0, ...cells.map(({ repetition }) => repetition + 1))
}
