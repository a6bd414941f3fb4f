import type { Results } from '../schema.ts'

/** What a reader could take these figures for, and they are not. */
export function listUnmeasured({ run, scenarios }: Results): readonly string[] {
  const axes = new Set(scenarios.flatMap((scenario) => scenario.axes.map(({ name }) => name)))
  const network = run.network !== null || [...axes].some((axis) => axis.endsWith('LatencyMs'))
  return [
    ...(axes.has('writers')
      ? []
      : ['Concurrent writers: each cell has one writer, so nothing here tells how often commits conflict.']),
    'Readers during a merge: the reading query runs before and after it, never meanwhile.',
    ...(network ? [] : ['Network latency: on a real object store each request costs milliseconds more.']),
    'Cold caches of the operating system: nothing drops them between phases.',
    `Other sizes and shapes of data than profile "${run.plan.profile}" has.`,
    'Start-up: connecting and opening the table lie outside of the timed sections.',
  ]
}
