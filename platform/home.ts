import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { packageRoot } from './package-root.ts'

/**
 * The one folder that holds all that lakeduel makes: LAKEDUEL_HOME, or `.lakeduel` in a checkout, or the user's cache
 * folder where lakeduel is an installed package (its own folder may be read-only and goes with the next install).
 */
export function lakeduelHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.LAKEDUEL_HOME) return resolve(env.LAKEDUEL_HOME)
  if (existsSync(join(packageRoot, 'package-lock.json'))) return join(packageRoot, '.lakeduel')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lakeduel')
}
