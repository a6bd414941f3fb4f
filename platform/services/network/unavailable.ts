import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

const BODY =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
const ANSWER = `HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`

/** Answers the first request of a connection as an S3 server does that is asked too often, and closes. */
export function answerUnavailable(client: Socket): void {
  client.once('data', () => client.end(ANSWER))
}

/** An S3 server on loopback that is always asked too often. */
export interface UnavailableServer extends AsyncDisposable {
  readonly port: number
}

export async function startUnavailableServer(): Promise<UnavailableServer> {
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    client.on('error', () => undefined)
    client.on('close', () => clients.delete(client))
    answerUnavailable(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.destroy()
      await closed
    },
  }
}
