import { readFile } from 'node:fs/promises'
import { z } from 'zod'
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
