import type { Results } from '../schema.ts'
import type { Figure } from '../summary/arms.ts'
import { summarize } from '../summary.ts'

/** One metric of one arm at one point over its repetitions. */
export interface NamedFigure {
  /** `merge-partitions/ducklake/merge/partitions=10`, without the last part for a scenario without axes. */
  readonly benchmark: string
  readonly metric: string
  readonly figure: Figure
}

/** The figures of all files that can be better or worse. Of the same one in two files, the later file's stands. */
export function figuresOf(files: readonly Results[]): readonly NamedFigure[] {
  const named = files.flatMap((results) =>
    summarize(results).scenarios.flatMap(({ name, points }) =>
      points.flatMap(({ point, arms }) => {
        const axes = Object.entries(point).map(([axis, value]) => `${axis}=${value}`)
        return arms.flatMap(({ arm, figures }) =>
          [...figures]
            .filter(([, { better }]) => better !== 'neither')
            .map(([metric, figure]) => ({ benchmark: [name, arm, ...axes].join('/'), metric, figure })),
        )
      }),
    ),
  )
  return [...new Map(named.map((one) => [JSON.stringify([one.benchmark, one.metric]), one])).values()]
}
