import type { Metric, Unit } from '../../reports/schema.ts'

type Kind = Metric['kind']

function metric(
  value: number,
  unit: Unit,
  kind: Kind,
  better: Metric['better'],
  samples?: readonly number[],
): Metric {
  return { value, unit, kind, better, ...(samples !== undefined && { samples: [...samples] }) }
}

/** Describes the work, as the rows of a batch do: neither direction is an improvement. */
export function work(value: number, unit: Unit = 'count'): Metric {
  return metric(value, unit, 'count', 'neither')
}

/** Describes what the work met with, noisy as it is: neither direction is an improvement. */
export function circumstance(value: number, unit: Unit, kind: Kind): Metric {
  return metric(value, unit, kind, 'neither')
}

/** Counts what was spent, exactly: requests, files, attempts, bytes. */
export function cost(value: number, unit: Unit = 'count'): Metric {
  return metric(value, unit, 'count', 'lower')
}

/** How long something took, in milliseconds. */
export function duration(value: number, samples?: readonly number[]): Metric {
  return metric(value, 'ms', 'time', 'lower', samples)
}

export function memory(value: number, samples?: readonly number[]): Metric {
  return metric(value, 'bytes', 'memory', 'lower', samples)
}

/** Work done in a second. */
export function rate(value: number, unit: Extract<Unit, `${string}/s`>): Metric {
  return metric(value, unit, 'rate', 'higher')
}

/** A noisy quotient of which less is better. */
export function ratio(value: number, kind: Kind): Metric {
  return metric(value, 'ratio', kind, 'lower')
}
