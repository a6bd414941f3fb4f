import { appendFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { errorCode } from '../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'

/**
 * Writes a file in one step: beside it, then renamed, so that a full disk leaves the old one and nothing else. What is no file, as
 * /dev/stdout or a pipe, is written to as it is.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const state = await stat(path).catch(() => null)
  if (state !== null && !state.isFile()) {
    await writeFile(path, text).catch((cause: unknown) => {
      throw notWritten(path, cause)
    })
    return
  }
  const unfinished = `${path}.writing`
  try {
    await writeFile(unfinished, text, { flush: true })
    await rename(unfinished, path)
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    throw notWritten(path, cause)
  }
}

export async function appendTo(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((cause: unknown) => {
    throw notWritten(path, cause)
  })
}

function notWritten(path: string, cause: unknown): LakeduelError {
  const full = errorCode(cause) === 'ENOSPC'
  return new LakeduelError(full ? 'DISK_FULL' : 'USAGE', `${path} cannot be written: ${messageOf(cause)}`, {
    facts: { path },
    remedy: full
      ? 'Free some space and try again.'
      : 'Give a file in a folder that exists and that you may write to.',
    cause,
  })
}
