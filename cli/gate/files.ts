import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorCode } from '../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { type GateConfig, gateConfigSchema } from '../../reports/gate/config.ts'

/** @throws LakeduelError `CONFIG_INVALID` when there is no such file, or naming the field that is wrong */
export async function readGateConfig(path: string): Promise<GateConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) =>
    invalid(path, `cannot be read (${messageOf(cause)})`, cause),
  )
  const parsed = gateConfigSchema.safeParse(jsonOf(path, text))
  return parsed.success ? parsed.data : invalid(path, z.prettifyError(parsed.error), parsed.error)
}

/** Writes a file in one step: beside it, then renamed, so that a full disk leaves the old one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.writing`
  try {
    await writeFile(unfinished, text, { flush: true })
    await rename(unfinished, path)
  } catch (cause) {
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

function jsonOf(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return invalid(path, `is no JSON (${messageOf(cause)})`, cause)
  }
}

function invalid(path: string, problem: string, cause: unknown): never {
  throw new LakeduelError('CONFIG_INVALID', `The gate's configuration ${path} can't be used: ${problem}`, {
    facts: { path },
    remedy: 'docs/gate.md has an example with every field.',
    cause,
  })
}
