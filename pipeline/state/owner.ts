import { readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import { identifyProcess, isAlive, processIdentitySchema } from '../../platform/process-identity.ts'

/** The process that holds a lease or a claim, as precisely as another process can check. */
export const ownerSchema = z.strictObject({
  host: z.string(),
  /** Processes of one namespace see each other; containers on one machine don't. */
  namespace: z.string(),
  process: processIdentitySchema,
})
export type Owner = Readonly<z.infer<typeof ownerSchema>>

export async function thisProcess(): Promise<Owner> {
  const self = await identifyProcess(process.pid)
  if (self === null) throw new Error('This process could not find itself among the running ones')
  return { host: hostname(), namespace: await processNamespace(), process: self }
}

/**
 * Whether the process has surely ended. False where it can't be seen from here, and then only its lease tells. A wrong
 * answer would cost the owner its work and nothing else, since what it writes afterwards is refused.
 */
export async function isGone(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname() || owner.namespace !== (await processNamespace())) return false
  return !(await isAlive(owner.process))
}

export function ownerText({ host, process: { pid } }: Owner): string {
  return `process ${pid} on ${host}`
}

async function processNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '')
}
