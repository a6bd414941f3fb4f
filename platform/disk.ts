import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { LakeduelError } from './errors.ts'

const codedErrorSchema = z.object({ code: z.string() })

/** Bytes that this user can still write on the volume of a path, or of its nearest existing parent. */
export async function availableBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && dirname(path) !== path) return availableBytes(dirname(path))
    throw error
  }
}

/** The `code` of a system error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return codedErrorSchema.safeParse(error).data?.code
}

/** Runs work that writes below `path`; a full disk becomes `DISK_FULL` with the path and the bytes available. */
export async function withDiskFullError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw (await isDiskFull(error, path)) ? await diskFull(path, error) : error
  }
}

/** Tools that we start (pip, go, initdb) tell of a full disk only in their words, so those and the free space decide. */
async function isDiskFull(error: unknown, path: string): Promise<boolean> {
  if (error instanceof LakeduelError && error.code === 'DISK_FULL') return false
  if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT') return true
  const words = `${String(error)} ${error instanceof Error ? String(error.cause) : ''}`
  return (
    /no space left on device|ENOSPC|disk quota exceeded/i.test(words) || (await availableBytes(path)) === 0
  )
}

async function diskFull(path: string, cause: unknown): Promise<LakeduelError> {
  const bytes = await availableBytes(path)
  return new LakeduelError(
    'DISK_FULL',
    `The disk of ${path} ran full; ${bytes} bytes are available after cleaning up.`,
    {
      facts: { path, availableBytes: bytes },
      remedy: 'Free some space, or set LAKEDUEL_HOME to a folder on a larger disk.',
      cause,
    },
  )
}
