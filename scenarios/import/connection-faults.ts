import { once } from 'node:events'
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'
import { answerUnavailable } from '../../platform/services/network/unavailable.ts'

/**
 * A TCP proxy before a server, by which a test breaks connections: all at once, or for a while with an answer of 503 to
 * whoever connects anew. Bytes pass as they are, so signed hosts stay right.
 */
export class ConnectionFaults implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #unavailable = false

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async before(host: string, port: number): Promise<ConnectionFaults> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port')
    const faults = new ConnectionFaults(server, address.port)
    server.on('connection', (client) => faults.#pass(client, host, port))
    return faults
  }

  /** Resets all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Resets all connections, and answers 503 to the ones that follow until it is told otherwise. */
  setUnavailable(unavailable: boolean): void {
    this.#unavailable = unavailable
    if (unavailable) this.cut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #pass(client: Socket, host: string, port: number): void {
    this.#track(client)
    if (this.#unavailable) {
      answerUnavailable(client)
      return
    }
    const upstream = tcpConnect(port, host)
    this.#track(upstream)
    client.pipe(upstream)
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
