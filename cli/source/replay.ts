import { readBundle } from '../../pipeline/sources/failure-bundle/bundle.ts'
import { type PageShape, type Replayed, replay } from '../../pipeline/sources/failure-bundle/replay.ts'
import { sourceNamed } from '../../pipeline/sources/registry.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { type JsonOption, print } from './print.ts'
import { type SettingsOptions, settingsOf } from './settings.ts'

export interface ReplayCommandOptions extends JsonOption, SettingsOptions {
  readonly cursor?: string
  readonly source?: string
}

/** Ends with 0 when the page can be read now. */
export async function replaySource(folder: string, options: ReplayCommandOptions): Promise<void> {
  const bundle = await readBundle(folder)
  const definition = await sourceNamed(options.source ?? bundle.source.from)
  const replayed = await replay({
    bundle,
    folder,
    definition,
    config: await settingsOf(definition, options, bundle.source.config),
    cursorFile: options.cursor ?? null,
    signal: interruptSignal(),
  })
  print(options, { bundle: bundle.id, ...replayed }, describe(replayed))
  if (replayed.outcome === 'failure') process.exitCode = 1
}

function describe(replayed: Replayed): string {
  const notes = replayed.changes.map((change) => `Note: ${change}.`)
  return [...outcomeLines(replayed), ...notes].join('\n')
}

function outcomeLines(replayed: Replayed): readonly string[] {
  switch (replayed.outcome) {
    case 'end':
      return ['The table ends there now: there is no such page any more.']
    case 'page':
      return ['The page that failed can be read.', ...pageLines(replayed.page)]
    case 'failure': {
      const { class: failureClass, code, message, remedy } = replayed.failure
      const verdict = replayed.same ? 'It fails as it did' : 'It fails in another way'
      return [`${verdict}: ${code}, of class ${failureClass}.`, message, remedy]
    }
  }
}

function pageLines({ rows, bytes, columns }: PageShape): readonly string[] {
  const width = Math.max(0, ...Object.keys(columns).map((name) => name.length))
  const lines = Object.entries(columns).map(
    ([name, kinds]) => `  ${name.padEnd(width)}  ${kinds.join(' | ')}`,
  )
  return [`${rows} rows, about ${bytes} bytes:`, ...lines]
}
