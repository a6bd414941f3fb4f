/** A run of its own, for tests that kill it: starts Postgres, says so, and stays. */
import { loadConfig } from '../../../platform/config/load.ts'
import { interruptSignal } from '../../../platform/interrupt.ts'
import { startServices } from '../../../platform/services/services.ts'

const signal = interruptSignal()
{
  await using services = await startServices(await loadConfig(), { runId: 'killed', signal })
  process.stdout.write(`port ${services.postgres.port}\n`)
  await new Promise((resolve) => {
    const alive = setInterval(() => undefined, 60_000)
    signal.addEventListener('abort', () => resolve(clearInterval(alive)))
  })
}
