import { escapeHtml } from './markup.ts'

/** A page that a server shows while the run goes on. */
export interface Live {
  /** What the page was made of, as the server names it; it is made anew when the server says another one. */
  readonly version: string
  /** What is told above the page, such as how far the run is. */
  readonly status: string
  /** Whether it is one of several runs, to whose list the page leads back. */
  readonly isListed: boolean
}

/** The line above a live page, and the script by which it follows its run. */
export function renderLive({ version, status, isListed }: Live): string {
  return `${isListed ? '<p><a href="/">All runs</a></p>\n' : ''}<p id="live" role="status" data-version="${escapeHtml(version)}">${escapeHtml(status)}</p>
<script>${LIVE_SCRIPT}</script>`
}

/** A live page for which there is nothing to show yet, or nothing that can be shown. */
export function renderWaiting(live: Live, message: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${LIVE_POLICY}">
<title>lakeduel: waiting for results</title>
</head>
<body>
<main><pre>${escapeHtml(message)}</pre>${renderLive(live)}</main>
</body>
</html>
`
}

const OFFLINE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
export const LIVE_POLICY = `${OFFLINE_POLICY}; connect-src 'self'`

/** Which requests a page may make: none, or only to the server that it came from. */
export function policyOf(live: Live | null): string {
  return live === null ? OFFLINE_POLICY : LIVE_POLICY
}

/**
 * Loads the page anew when its run has gone on. The browser keeps the place and the address keeps the filters; which parts were
 * unfolded is kept here.
 */
const LIVE_SCRIPT = String.raw`'use strict'
{
  const parts = () => [...document.querySelectorAll('details')]
  const line = document.getElementById('live')
  const kept = 'unfolded ' + location.pathname
  addEventListener('load', () => {
    const open = new Set(JSON.parse(sessionStorage.getItem(kept) || '[]'))
    parts().forEach((part, index) => { if (open.has(index)) part.open = true })
    const events = new EventSource('/events' + location.pathname)
    events.onmessage = ({ data }) => {
      if (data === line.dataset.version) return
      events.close()
      sessionStorage.setItem(kept, JSON.stringify(parts().flatMap((part, index) => (part.open ? [index] : []))))
      location.reload()
    }
    events.onerror = () => { line.textContent = 'The server has ended; this is what it showed last.' }
    events.onopen = () => { line.textContent = line.dataset.status ?? line.textContent }
  })
  line.dataset.status = line.textContent
}`
