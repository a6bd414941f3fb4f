import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { LakeduelError } from '../errors.ts'
import type { Step, StepContext } from './step.ts'
import { runTool } from './tool.ts'

/**
 * The commit that a branch, a tag or a hash means.
 * @throws LakeduelError `USAGE` when there is none, or the folder isn't in a git repository
 */
export async function commitOf(repository: string, ref: string): Promise<string> {
  const found = await git(repository, ['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`])
  if (!found.failed) return found.stdout
  throw new LakeduelError('USAGE', `There is no commit '${ref}': ${found.stderr}`, {
    facts: { ref, repository },
    remedy:
      'Name a branch, a tag or a hash of this checkout of lakeduel; fetch it first where it is elsewhere.',
  })
}

/** The files that differ from the commit which is checked out, as git prints them; empty without any. */
export async function changesIn(checkout: string): Promise<string> {
  return (await git(checkout, ['status', '--porcelain'])).stdout
}

/** A git worktree with the packages of its own lock, by the commit's hash. */
export function checkoutStep(repository: string, commit: string): Step<string> {
  const folderIn = (home: string) => join(home, 'checkouts', commit)
  return {
    title: `checkout of ${commit.slice(0, 12)}`,
    find: async (home) => {
      const folder = folderIn(home)
      if (!existsSync(folder)) return null
      await assertUnchanged(folder)
      return folder
    },
    make: async (context) => {
      const target = folderIn(context.home)
      await mkdir(dirname(target), { recursive: true })
      // One whose folder went with a killed process is still registered, and would be in the way.
      await execa('git', ['-C', repository, 'worktree', 'prune'])
      try {
        await checkOut(context, repository, commit)
        await execa('git', ['-C', repository, 'worktree', 'move', context.workDir, target])
      } catch (error) {
        await git(repository, ['worktree', 'remove', '--force', '--force', context.workDir])
        throw error
      }
      return target
    },
  }
}

async function checkOut(
  { workDir, signal, report }: StepContext,
  repository: string,
  commit: string,
): Promise<void> {
  await runTool('git', ['-C', repository, 'worktree', 'add', '--detach', workDir, commit], {
    signal,
    report,
    remedy: 'Check the repository by hand: git worktree list; git fsck.',
  })
  report('npm ci')
  await runTool('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: workDir,
    signal,
    report,
    remedy: 'Check that npm reaches its registry, and that the commit has a package-lock.json that fits.',
  })
}

async function assertUnchanged(folder: string): Promise<void> {
  const changes = await changesIn(folder)
  if (changes === '') return
  throw new LakeduelError('USAGE', `The checkout ${folder} is no longer what its commit says:\n${changes}`, {
    facts: { folder, changes },
    remedy: `Remove it, and it is made again: git worktree remove --force ${folder}`,
  })
}

function git(folder: string, args: readonly string[]) {
  return execa('git', ['-C', folder, ...args], { reject: false })
}
