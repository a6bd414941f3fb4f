import { execa } from 'execa'
import { z } from 'zod'
import { LakeduelError } from '../../platform/errors.ts'
import { lakeduelCommand } from './services.ts'

const outcomeSchema = z.object({
  status: z.string(),
  wallMs: z.number(),
  extractorPeakBytes: z.number().nullable(),
  loaderPeakBytes: z.number().nullable(),
  deaths: z.number(),
  tables: z.array(z.object({ counts: z.record(z.string(), z.number()) })),
})

export interface Synced {
  /** Of the whole command, from its start to its end. */
  readonly wallMs: number
  readonly extractorPeakBytes: number | null
  readonly loaderPeakBytes: number | null
  readonly deaths: number
  readonly rowsCommitted: number
}

/** Runs a sync to its end. @throws LakeduelError `ENGINE_FAILED` when it doesn't end as wanted */
export async function sync(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  wanted: 'done' | 'extracted' = 'done',
): Promise<Synced> {
  const { file, args: all } = lakeduelCommand(['sync', ...args, '--json'])
  const startedAt = performance.now()
  const { exitCode, stdout, stderr } = await execa(file, all, { env, reject: false, stdin: 'ignore' })
  const wallMs = performance.now() - startedAt
  const outcome = stdout === '' ? null : outcomeSchema.parse(JSON.parse(stdout))
  if (exitCode === 0 && outcome?.status === wanted) {
    const { extractorPeakBytes, loaderPeakBytes, deaths } = outcome
    const rowsCommitted = outcome.tables.reduce((sum, { counts }) => sum + (counts['rowsCommitted'] ?? 0), 0)
    return { wallMs, extractorPeakBytes, loaderPeakBytes, deaths, rowsCommitted }
  }
  throw new LakeduelError(
    'ENGINE_FAILED',
    `The sync ended with ${exitCode}, ${outcome?.status}: ${stderr.slice(-3_000)}`,
  )
}
