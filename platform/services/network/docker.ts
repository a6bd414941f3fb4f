import pRetry from 'p-retry'
import { GenericContainer, Wait } from 'testcontainers'
import { TOXIPROXY_VERSION } from '../../setup/toxiproxy.ts'
import { choosePort, LOOPBACK } from '../ports.ts'
import type { ToxiproxyServer } from '../server-schemas.ts'
import type { Started } from '../started.ts'
import { ToxiproxyApi, toxiproxyGone } from './api.ts'

const IMAGE = `ghcr.io/shopify/toxiproxy:${TOXIPROXY_VERSION}`

/**
 * A Toxiproxy container in the network of the host: the servers that it stands before listen on loopback there, and its
 * proxies listen on ports that are not known beforehand.
 */
export async function startDockerToxiproxy(): Promise<Started<ToxiproxyServer>> {
  const port = await choosePort(null, 'Toxiproxy')
  const apiUrl = `http://${LOOPBACK}:${port}`
  const container = await new GenericContainer(IMAGE)
    .withNetworkMode('host')
    .withCommand(['-host', LOOPBACK, '-port', String(port)])
    .withWaitStrategy(Wait.forLogMessage('Starting Toxiproxy HTTP server'))
    .start()
  const stop = async (): Promise<void> => {
    await container.stop()
  }
  try {
    await untilItAnswers(apiUrl)
  } catch (error) {
    await stop()
    throw error
  }
  return { server: { apiUrl, origin: 'docker', version: `Toxiproxy ${TOXIPROXY_VERSION}` }, stop }
}

/** It says that it starts before it listens. */
async function untilItAnswers(apiUrl: string): Promise<void> {
  const ask = async (): Promise<void> => {
    if (!(await new ToxiproxyApi(apiUrl).answers())) throw toxiproxyGone(apiUrl)
  }
  await pRetry(ask, { retries: 40, factor: 1, minTimeout: 50 })
}
