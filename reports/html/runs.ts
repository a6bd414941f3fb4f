import { plural } from '../format.ts'
import { LIVE_POLICY, type Live, renderLive } from './live.ts'
import { escapeHtml } from './markup.ts'
import { PAGE_STYLE } from './style.ts'

/** A run in the list of a folder that holds several. */
export interface ListedRun {
  /** Of its folder. */
  readonly name: string
  /** Null where its results can't be read; then `what` says why. */
  readonly startedAt: string | null
  readonly what: string
  readonly cells: number | null
  readonly status: 'unread' | 'running' | 'silent' | 'done' | 'unreadable'
}

const STATUS_TEXTS: Readonly<Record<ListedRun['status'], string>> = {
  unread: 'not read yet',
  running: '● running',
  silent: 'not finished, and silent for half an hour',
  done: '✓ done',
  unreadable: '✕ cannot be read',
}

/** The list of the runs of a folder, each of which leads to its page. */
export function renderRuns(folder: string, runs: readonly ListedRun[], version: string): string {
  const running = runs.filter(({ status }) => status === 'running').length
  const status =
    runs.length === 0
      ? 'There is no readable results file here yet, and no folder with one. This page shows them as they come.'
      : `${plural(runs.length, 'run')}, ${running} of them running. This page follows them.`
  const live: Live = { version, status, isListed: false }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${LIVE_POLICY}">
<title>lakeduel: runs</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>Runs</h1>
<p class="meta">${escapeHtml(folder)}</p>
${renderLive(live)}
${runs.length === 0 ? '' : renderTable(runs)}
</main>
</body>
</html>
`
}

function renderTable(runs: readonly ListedRun[]): string {
  const head = ['run', 'began', 'status', 'cells', 'what'].map((title) => `<th scope="col">${title}</th>`)
  return `<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${runs.map(renderRow).join('\n')}
</tbody>
</table></div>`
}

function renderRow({ name, startedAt, status, cells, what }: ListedRun): string {
  const link = `<a href="/runs/${escapeHtml(encodeURIComponent(name))}">${escapeHtml(name)}</a>`
  const began = startedAt?.slice(0, 16).replace('T', ' ') ?? ''
  return `<tr><td class="arm">${link}</td><td>${escapeHtml(began)}</td><td class="${status === 'done' ? 'passed' : status === 'unreadable' ? 'failure' : ''}">${STATUS_TEXTS[status]}</td><td class="number">${cells ?? ''}</td><td>${escapeHtml(what)}</td></tr>`
}
