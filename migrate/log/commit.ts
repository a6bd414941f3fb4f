import { z } from 'zod'
import { messageOf } from '../../platform/errors.ts'
import type { ReadableStore } from '../source/readable-store.ts'
import { ActionSet } from './actions.ts'
import { brokenLog } from './errors.ts'

const lineSchema = z.record(z.string(), z.unknown())

/**
 * Reads a file of the log that has one JSON action a line: a commit, a compacted range, or the top of a V2 checkpoint.
 * @throws LakeduelError `SOURCE_BROKEN` where it is missing, empty or no such file
 */
export async function readActions(store: ReadableStore, key: string): Promise<ActionSet> {
  const bytes = await store.read(key)
  if (bytes === null) throw brokenLog(key, 'is missing')
  return parseActions(textOf(bytes, key), key)
}

export function parseActions(text: string, key: string): ActionSet {
  const actions = new ActionSet()
  let lines = 0
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    lines += 1
    takeLine(actions, line, `${key}, line ${index + 1},`)
  }
  if (lines === 0) throw brokenLog(key, 'is empty')
  return actions
}

function takeLine(actions: ActionSet, line: string, where: string): void {
  try {
    for (const [name, value] of Object.entries(lineSchema.parse(JSON.parse(line)))) actions.take(name, value)
  } catch (cause) {
    const problem =
      cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll(/\s*\n\s*/g, ' ') : messageOf(cause)
    throw brokenLog(where, `can't be read: ${problem}`, cause)
  }
}

function textOf(bytes: Uint8Array, key: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw brokenLog(key, 'is not UTF-8', cause)
  }
}
