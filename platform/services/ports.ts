import { createServer } from 'node:net'
import getPort from 'get-port'
import { errorCode } from '../disk.ts'
import { LakeduelError } from '../errors.ts'

export const LOOPBACK = '127.0.0.1'

/**
 * The wished port, or any free one.
 * @throws LakeduelError `PORT_IN_USE` when the wished one is taken
 */
export async function choosePort(wished: number | null, service: string): Promise<number> {
  if (wished === null) return getPort({ host: LOOPBACK })
  await assertFree(wished, service)
  return wished
}

async function assertFree(port: number, service: string): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, LOOPBACK, resolve)
    })
  } catch (error) {
    throw portInUse(port, service, error)
  } finally {
    server.close()
  }
}

function portInUse(port: number, service: string, cause: unknown): LakeduelError {
  const reason =
    errorCode(cause) === 'EADDRINUSE' ? 'is taken by another process' : `cannot be used (${errorCode(cause)})`
  return new LakeduelError('PORT_IN_USE', `Port ${port}, wished for the local ${service}, ${reason}.`, {
    facts: { port, service },
    remedy: 'Choose another port, or leave the setting out: then any free port is used.',
    cause,
  })
}
