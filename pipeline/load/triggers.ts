import { execa } from 'execa'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import type { Trigger } from '../state/model.ts'

/** What a trigger is told of the run that is done; no rows and no secrets. */
export interface TriggerMessage {
  readonly event: 'table-synced'
  readonly runId: string
  readonly arm: string
  readonly lake: string
  readonly table: string
  readonly mode: string
  readonly rowsCommitted: number
  readonly rowsDead: number
}

const TIMEOUT_MS = 60_000

/**
 * Tells the outside of a run that is done. It may be told more than once: a worker may die between telling and noting
 * that it told.
 * @throws LakeduelError `TRIGGER_FAILED`, which is tried again apart from the data
 */
export async function fireTrigger(
  trigger: Trigger,
  message: TriggerMessage,
  postgres: PostgresEndpoint,
): Promise<void> {
  const payload = JSON.stringify(message)
  try {
    if (trigger.kind === 'command') await runCommand(trigger.argv, payload)
    else if (trigger.kind === 'http') await post(trigger.url, payload)
    else await notify(postgres, trigger.channel, payload)
  } catch (cause) {
    throw new LakeduelError('TRIGGER_FAILED', `The ${trigger.kind} trigger failed: ${messageOf(cause)}`, {
      facts: { kind: trigger.kind, runId: message.runId },
      remedy: 'The data is committed. See what the trigger calls; it is tried again.',
      cause,
    })
  }
}

async function runCommand([file = '', ...args]: readonly string[], payload: string): Promise<void> {
  await execa(file, [...args, payload], { timeout: TIMEOUT_MS, stdin: 'ignore' })
}

async function post(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`it answered ${response.status}`)
}

async function notify(postgres: PostgresEndpoint, channel: string, payload: string): Promise<void> {
  await withPostgres(postgres, (client) => client.query('SELECT pg_notify($1, $2)', [channel, payload]))
}
