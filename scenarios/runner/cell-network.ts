import { LakeduelError } from '../../platform/errors.ts'
import type { Network } from '../../platform/services/network/network.ts'
import type { Teardown } from '../../platform/teardown.ts'
import type { Metric } from '../../reports/schema.ts'
import { circumstance } from '../measure/metric.ts'

/** A way that cells share, as one of them has it: its faults end with the cell, and the way stays open. */
export function networkOfCell(network: Network, teardown: Teardown): Network {
  return {
    ...network,
    fault: async (...fault) => {
      const heal = await network.fault(...fault)
      teardown.defer(() => heal().catch(unlessProxyIsGone))
      return heal
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Then there is nothing to heal, and the run is about to end for that reason. */
function unlessProxyIsGone(error: unknown): void {
  if (!(error instanceof LakeduelError && error.code === 'PROXY_GONE')) throw error
}

/** What the way costs, as it was measured when it was opened; nothing where there is no proxy on it. */
export function networkMetrics({ calibration }: Network): Readonly<Record<string, Metric>> {
  const { s3, postgres } = calibration
  return {
    ...(s3 !== null && {
      'network.s3AddedMs': circumstance(s3.addedMs, 'ms', 'time'),
      'network.s3ProxyCostMs': circumstance(s3.proxyCostMs, 'ms', 'time'),
    }),
    ...(postgres !== null && {
      'network.postgresAddedMs': circumstance(postgres.addedMs, 'ms', 'time'),
      'network.postgresProxyCostMs': circumstance(postgres.proxyCostMs, 'ms', 'time'),
    }),
  }
}
