import { catalogFaults } from './catalog-faults.ts'
import { concurrency } from './concurrency.ts'
import { deployment } from './deployment.ts'
import { longevity } from './longevity.ts'
import { memoryCap } from './memory-cap.ts'
import { mergePartitions } from './merge-partitions.ts'
import { nested } from './nested.ts'
import { readBack } from './read-back.ts'
import type { Scenario } from './scenario.ts'
import { settings } from './settings.ts'
import { smallCommits } from './small-commits.ts'
import { stripePaging } from './stripe-paging.ts'
import { wideJson } from './wide-json.ts'

/** Every scenario, in the order in which a run takes them. A new one is a file and a line here. */
export const SCENARIOS: readonly Scenario[] = [
  memoryCap,
  mergePartitions,
  wideJson,
  stripePaging,
  deployment,
  nested,
  concurrency,
  smallCommits,
  longevity,
  readBack,
  catalogFaults,
  settings,
]
