import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

let home = ''
// What is set up already, in a home of its own: the script holds services there, and ends them.
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakeduel-gate-'))
  const known = process.env['LAKEDUEL_HOME'] ?? join(ROOT, '.lakeduel')
  for (const name of await readdir(known))
    if (/^(?:bin|sidecar|duckdb)/.test(name)) await symlink(join(known, name), join(home, name))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test('the plain-shell gate compares this checkout with itself, by turns, and lets pass what stays open', async () => {
  const run = await execa(join(ROOT, '.ci', 'gate'), [ROOT, '0.1'], {
    cwd: ROOT,
    env: { LAKEDUEL_HOME: home },
    reject: false,
    stdin: 'ignore',
  })
  expect(run.stderr).toContain('pair 1 of 8')
  expect(run.stdout).toContain('ducklake/merge')
  expect(run.exitCode).toBe(0)
}, 400_000)
