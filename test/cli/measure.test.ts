import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseResults } from '../../reports/schema.ts'
import { lakeduel } from './lakeduel.ts'

test('every piece that a row goes through is timed, and the results are like those of any run', async () => {
  const out = await mkdtemp(join(tmpdir(), 'lakeduel-micro-'))
  try {
    const run = await lakeduel(['measure', 'micro', '--repeat', '1', '--time', '20ms', '--out', out])
    expect(run.exitCode, run.stderr).toBe(0)
    const { cells } = parseResults(await readFile(join(out, 'results.json'), 'utf8'))
    expect(cells.map(({ point }) => point['piece'])).toEqual([
      'batching',
      'naming',
      'typing',
      'arrow',
      'staging',
      'content hash',
      'queue round trip',
    ])
    for (const cell of cells)
      expect(cell.status === 'ok' && cell.metrics['medianMs']?.value).toBeGreaterThan(0)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
})
