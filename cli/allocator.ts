import { GLIBC_MALLOC } from '../platform/pods/allocator.ts'

/**
 * Starts this very process anew with the allocator's variables, which are read only when a process starts. For commands that
 * run an engine within it and are to keep to a limit: a rewrite of 800 MB in a pod of 1 GiB was killed without them. Returns where
 * the variables are there, or there is no glibc to read them.
 */
export function restartWithAllocator(): void {
  const lacks = Object.keys(GLIBC_MALLOC).some((name) => process.env[name] === undefined)
  if (process.platform !== 'linux' || !lacks) return
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  process.execve?.(process.execPath, args, { ...GLIBC_MALLOC, ...process.env })
}
