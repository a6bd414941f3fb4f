import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { HeadBucketCommand } from '@aws-sdk/client-s3'
import { copyTables } from '../../backends/connect.ts'
import type { Config } from '../../platform/config/load.ts'
import type { Storage } from '../../platform/endpoints.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { openToxiproxy } from '../../platform/services/network/network.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { dropSchemasWithPrefix } from '../../platform/services/postgres/schemas.ts'
import { openSpillFolder } from '../../platform/services/run-folders.ts'
import { s3Client } from '../../platform/services/s3/client.ts'
import { needsLocalMinio } from '../../platform/services/servers.ts'
import type { Services } from '../../platform/services/services.ts'
import { startServices } from '../../platform/services/services.ts'
import type { SetupResult } from '../../platform/setup/setup.ts'
import { ensureSetup } from '../../platform/setup/setup.ts'
import { plural } from '../../reports/format.ts'
import { renderHtml } from '../../reports/html.ts'
import { renderMarkdown } from '../../reports/markdown.ts'
import type { Results } from '../../reports/schema.ts'
import { openPostgresMeter, type PostgresMeter } from '../../scenarios/measure/postgres-usage.ts'
import { openS3Meter } from '../../scenarios/measure/s3-requests.ts'
import type { BenchContext, BenchPlan } from '../../scenarios/runner/bench.ts'
import { runBench } from '../../scenarios/runner/bench.ts'
import { Networks } from '../../scenarios/runner/networks.ts'
import { ResultsFile } from '../../scenarios/runner/results-file.ts'
import type { Surroundings } from '../../scenarios/runner/surroundings.ts'
import { catalogPrefix } from '../../scenarios/runner/surroundings.ts'
import { Display } from './display.ts'
import { assertRoom } from './estimate.ts'
import { recordedPlan } from './request.ts'
import { newResults, resumedResults } from './results.ts'
import type { SettingsByArm } from './settings.ts'
import { Turns } from './turns.ts'

export interface BenchRun {
  readonly plan: BenchPlan
  readonly settings: SettingsByArm
  readonly config: Config
  readonly folder: string
  /** The results to go on with, or null. */
  readonly resumed: Results | null
  readonly command: string
}

export interface ReportPaths {
  readonly results: string
  readonly markdown: string
  readonly html: string
}

/** Sets up, starts services, runs all cells, and writes the reports; also those of a run that was cut short. */
export async function bench(
  run: BenchRun,
): Promise<{ readonly results: Results; readonly paths: ReportPaths }> {
  const { config, plan, folder } = run
  const signal = interruptSignal()
  await assertRoom(config, plan)
  const setup = await ensureSetup(config.home, {
    minio: await needsLocalMinio(config),
    engines: config.engines,
    signal,
  })
  const runId = `${new Date().toISOString().replaceAll(/[-:.]/g, '').slice(2, 15).toLowerCase()}${process.pid.toString(36)}`
  await using services = await startServices(config, { runId, signal, keep: plan.keep, report: tell })
  const file = new ResultsFile(resolve(folder))
  const results = await measure(run, { runId, setup, services, file, signal })
  return { results, paths: await writeReports(results, folder) }
}

interface Started {
  readonly runId: string
  readonly setup: SetupResult
  readonly services: Services
  readonly file: ResultsFile
  readonly signal: AbortSignal
}

async function measure(run: BenchRun, started: Started): Promise<Results> {
  const { plan } = run
  const { runId, services, file } = started
  await using s3 = await openS3Meter(services.storage)
  await using postgres = await openPostgresMeter(services.postgres)
  await using spill = await openSpillFolder(run.config.home)
  const surroundings = surroundingsOf(run, started, s3.storage, spill.path)
  const proxy = () => openToxiproxy(run.config, { signal: started.signal, report: tell })
  await using networks = new Networks(proxy, s3.storage, services.postgres, plan.network)
  const first = await firstResults(run, runId, services, await networks.recorded())
  using display = new Display()
  try {
    return await runBench(first, {
      plan,
      surroundings,
      instruments: { s3, postgres, scratchDir: surroundings.scratchDir },
      networks,
      file,
      events: display,
      copyTables,
      checkServices: () => checkHealth(services),
      ...turnsOf(postgres, started.signal),
    })
  } catch (error) {
    await reportCutShort(run, file)
    throw error
  } finally {
    if (!plan.keep)
      await dropSchemasWithPrefix(services.postgres, catalogPrefix(runId)).catch(() => undefined)
  }
}

/** While it waits another bench measures, whose statements are to be its own. */
function turnsOf(postgres: PostgresMeter, signal: AbortSignal): Pick<BenchContext, 'anotherRound' | 'alone'> {
  if (!Turns.areWanted()) return {}
  const turns = new Turns(signal, (wait) => postgres.aside(wait))
  return { anotherRound: () => turns.another(), alone: (work) => turns.take(work) }
}

/** @param storage as measured processes must use it, which may be through a proxy that counts */
function surroundingsOf(run: BenchRun, started: Started, storage: Storage, spillDir: string): Surroundings {
  const { setup, services, runId, signal } = started
  return {
    runId,
    storage,
    postgres: services.postgres,
    duckdbExtensions: setup.duckdbExtensions,
    sidecar: { python: setup.sidecar.python, unavailable: setup.sidecar.unavailable },
    scratchDir: spillDir,
    threads: availableParallelism(),
    entries: {
      stage: entry('stage'),
      loader: entry('loader'),
      reader: entry('reader'),
      writer: entry('writer'),
      stripeServer: entry('stripe-server'),
      main: entry('../main'),
    },
    settings: run.settings,
    signal,
  }
}

function firstResults(
  run: BenchRun,
  runId: string,
  services: Services,
  network: Results['run']['network'],
): Promise<Results> {
  const beginning = { command: run.command, plan: recordedPlan(run.plan), runId, services, network }
  return run.resumed === null ? newResults(beginning) : resumedResults(run.resumed, beginning)
}

/** Our own entry files end as this one does: `.ts` in a checkout, `.js` in the published package. */
function entry(name: string): URL {
  return new URL(`../processes/${name}${import.meta.url.slice(-3)}`, import.meta.url)
}

/** @throws LakeduelError when the object store or Postgres no longer answers */
async function checkHealth(services: Services): Promise<void> {
  await withPostgres(services.postgres, (client) => client.query('SELECT 1'))
  const { storage } = services
  if (storage.kind === 'local') return
  const client = s3Client(storage.endpoint)
  try {
    await client.send(new HeadBucketCommand({ Bucket: storage.bucket }))
  } catch (cause) {
    throw new LakeduelError(
      'S3_UNREACHABLE',
      `The object store at ${storage.endpoint.url} no longer answers: ${messageOf(cause)}`,
      {
        facts: { url: storage.endpoint.url },
        remedy: 'Bring it back and go on with --resume; finished cells are kept.',
        cause,
      },
    )
  } finally {
    client.destroy()
  }
}

async function writeReports(results: Results, folder: string): Promise<ReportPaths> {
  const paths = {
    results: join(folder, 'results.json'),
    markdown: join(folder, 'report.md'),
    html: join(folder, 'report.html'),
  }
  await writeFile(paths.markdown, renderMarkdown(results))
  await writeFile(paths.html, renderHtml(results))
  return paths
}

/** What a run that ends early leaves behind: the reports of what it has, and how to go on. */
async function reportCutShort(run: BenchRun, file: ResultsFile): Promise<void> {
  const saved = await file.load().catch(() => null)
  if (saved === null || saved.cells.length === 0) return
  await file.save(saved)
  await writeReports(saved, run.folder)
  tell(`What was measured so far (${plural(saved.cells.length, 'cell')}) is kept in ${run.folder}.`)
  tell(`Go on with: lakeduel bench --resume ${run.folder}`)
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
