import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect } from 'vitest'

/**
 * Fails a test file whose tests left processes behind. All descendants inherit the marker, also those that were
 * orphaned or left the process group, which is how a killed parent's children show.
 */
const MARKER = `LAKEDUEL_TEST_FILE=${randomUUID()}`
process.env['LAKEDUEL_TEST_FILE'] = MARKER.split('=')[1]

/** How long a process may take to end after it was told to: interpreters need a moment to shut down. */
const GRACE_MS = 10_000

afterAll(async () => {
  const deadline = Date.now() + GRACE_MS
  let left = await markedProcesses()
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(100)
    left = await markedProcesses()
  }
  expect(left, 'processes that the tests of this file started and left running').toEqual([])
}, GRACE_MS * 2)

/** Command lines of the processes that carry the marker. Empty where there is no /proc. */
async function markedProcesses(): Promise<readonly string[]> {
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(`/proc/${id}/environ`, 'utf8').catch(() => '')
      if (!environment.includes(MARKER)) return null
      return `${id}: ${(await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')}`
    }),
  )
  return found.filter((line) => line !== null)
}
