import type { Point } from '../../reports/schema.ts'
import { LOCALITIES, type OneMerge, oneMerge } from '../data/one-merge.ts'
import type { Dataset, Parameters } from '../scenario.ts'
import { nameAt, numberAt, parameter } from '../scenario.ts'

/** One partition of rows that compress to about half of `rowBytes` and a dozen bytes. */
export function memoryCapDataset(point: Point, parameters: Parameters, seed: number): Dataset {
  const batchRows = parameter(parameters, 'batchRows')
  const updates = Math.floor(batchRows / 2)
  return oneMerge({
    rows: parameter(parameters, 'rows') * numberAt(point, 'tableSize'),
    rowBytes: numberAt(point, 'rowBytes'),
    partitions: 1,
    updates,
    inserts: batchRows - updates,
    locality: localityAt(point),
    seed,
  })
}

function localityAt(point: Point): OneMerge['locality'] {
  const name = nameAt(point, 'locality')
  const found = LOCALITIES.find((locality) => locality === name)
  if (found === undefined) throw new RangeError(`there is no locality "${name}"`)
  return found
}
