import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { commitOf } from '../../../platform/setup/checkout.ts'
import { ensureCheckout } from '../../../platform/setup/setup.ts'

let folder: string
let repository: string
let home: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lakeduel-checkout-')))
  repository = join(folder, 'repository')
  home = join(folder, 'home')
  await execa('git', ['init', '--quiet', repository])
  await commit({ lockfileVersion: 3, name: 'made-up', version: '1.0.0', packages: {} })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function git(...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  return (await execa('git', ['-C', repository, ...identity, ...args])).stdout
}

/** A commit of a package without dependencies, with this lock. */
async function commit(lock: object): Promise<string> {
  await writeFile(join(repository, 'package.json'), '{ "name": "made-up", "version": "1.0.0" }')
  await writeFile(join(repository, 'package-lock.json'), JSON.stringify(lock))
  await git('add', '.')
  await git('commit', '--quiet', '--allow-empty', '--message', 'made up')
  return await git('rev-parse', 'HEAD')
}

/** How many there are beside the repository itself, and what making them left behind. */
async function worktrees(): Promise<number> {
  expect(await readdir(home)).not.toContain('tmp')
  return (await git('worktree', 'list', '--porcelain')).match(/^worktree /gm)?.length ?? 0
}

test('a commit is checked out once, with its packages, and kept whatever is committed later', async () => {
  const first = await commitOf(repository, 'HEAD')
  const checkout = await ensureCheckout(home, { repository, commit: first })
  const second = await commit({ lockfileVersion: 3, name: 'made-up', version: '2.0.0', packages: {} })
  await ensureCheckout(home, { repository, commit: second })
  expect(await ensureCheckout(home, { repository, commit: first })).toBe(checkout)
  expect(await readFile(join(checkout, 'package-lock.json'), 'utf8')).toContain('1.0.0')
  expect(await commitOf(checkout, 'HEAD')).toBe(first)
  expect(await worktrees()).toBe(3)
})

test('a checkout that somebody has edited is refused, with how to have it made again', async () => {
  const asked = { repository, commit: await commitOf(repository, 'HEAD') }
  const checkout = await ensureCheckout(home, asked)
  await writeFile(join(checkout, 'package.json'), '{}')
  await expect(ensureCheckout(home, asked)).rejects.toMatchObject({
    code: 'USAGE',
    remedy: expect.stringContaining('git worktree remove --force'),
  })
  await git('worktree', 'remove', '--force', checkout)
  expect(await ensureCheckout(home, asked)).toBe(checkout)
})

test('a lock that lacks a package is named with what it lacks, and not with how npm is used', async () => {
  await mkdir(join(repository, 'beside'))
  await writeFile(join(repository, 'beside', 'package.json'), '{ "name": "beside", "version": "1.2.3" }')
  await writeFile(
    join(repository, 'package.json'),
    '{ "name": "made-up", "version": "1.0.0", "dependencies": { "beside": "file:./beside" } }',
  )
  await git('add', '.')
  await git('commit', '--quiet', '--all', '--message', 'lacking')
  const asked = { repository, commit: await commitOf(repository, 'HEAD') }
  await expect(ensureCheckout(home, asked)).rejects.toMatchObject({
    code: 'SETUP_FAILED',
    message: expect.stringMatching(/Missing: beside@/),
  })
})

test('packages that can not be had, or an interrupt, leave no worktree and no folder', async () => {
  const lock = { lockfileVersion: 3, packages: { '': { dependencies: { 'not-in-package-json': '1.0.0' } } } }
  const broken = { repository, commit: await commit(lock) }
  await writeFile(join(repository, 'package-lock.json'), '{')
  await git('commit', '--quiet', '--all', '--message', 'broken')
  const unreadable = { repository, commit: await commitOf(repository, 'HEAD') }
  await expect(ensureCheckout(home, unreadable)).rejects.toMatchObject({ code: 'SETUP_FAILED' })
  expect(await worktrees()).toBe(1)
  const controller = new AbortController()
  const interrupted = ensureCheckout(home, broken, controller.signal)
  await vi.waitUntil(async () => (await git('worktree', 'list')).includes('detached'), {
    interval: 10,
    timeout: 10_000,
  })
  controller.abort(new Error('interrupted'))
  await expect(interrupted).rejects.toThrow('interrupted')
  expect(await worktrees()).toBe(1)
  expect(existsSync(join(home, 'checkouts', broken.commit))).toBe(false)
})

test('what the repository does not have is named', async () => {
  await expect(commitOf(repository, 'no-such-branch')).rejects.toThrow("no commit 'no-such-branch'")
  await expect(commitOf(folder, 'HEAD')).rejects.toThrow('not a git repository')
})
