import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isAlive, processIdentitySchema } from '../process-identity.ts'
import { removeRunFolder } from './run-folders.ts'
import { keptServersSchema } from './server-schemas.ts'

/** Services that `lakeduel services up` holds, until `services down`. */
const heldServicesSchema = z.strictObject({
  keeper: processIdentitySchema,
  runDir: z.string(),
  servers: keptServersSchema.omit({ toxiproxy: true }),
})
export type HeldServices = Readonly<z.infer<typeof heldServicesSchema>>

const POLL_MS = 50
const STOP_TIMEOUT_MS = 20_000

function heldFile(home: string): string {
  return join(home, 'services.json')
}

/** Null when none are held, or when their keeper is dead. */
export async function readHeldServices(home: string): Promise<HeldServices | null> {
  const text = await readFile(heldFile(home), 'utf8').catch(() => null)
  if (text === null) return null
  const held = heldServicesSchema.parse(JSON.parse(text))
  return (await isAlive(held.keeper)) ? held : null
}

/** The file holds passwords, so only its owner may read it. */
export async function writeHeldServices(home: string, held: HeldServices): Promise<void> {
  await mkdir(home, { recursive: true })
  const draft = `${heldFile(home)}.${process.pid}`
  await writeFile(draft, JSON.stringify(held), { mode: 0o600 })
  await rename(draft, heldFile(home))
}

/** Ends the held services and removes their data. Returns whether there were any. */
export async function endHeldServices(home: string): Promise<boolean> {
  const held = await readHeldServices(home)
  if (held !== null) {
    process.kill(held.keeper.pid, 'SIGTERM')
    const deadline = performance.now() + STOP_TIMEOUT_MS
    while ((await isAlive(held.keeper)) && performance.now() < deadline) await sleep(POLL_MS)
    if (await isAlive(held.keeper)) process.kill(held.keeper.pid, 'SIGKILL')
    await removeRunFolder(held.runDir)
  }
  await forgetHeldServices(home)
  return held !== null
}

export async function forgetHeldServices(home: string): Promise<void> {
  await rm(heldFile(home), { force: true })
}
