import { GenericContainer, Wait } from 'testcontainers'
import { TOXIPROXY_VERSION } from '../../setup/toxiproxy.ts'
import { choosePort, LOOPBACK } from '../ports.ts'
import type { ToxiproxyServer } from '../server-schemas.ts'
import type { Started } from '../started.ts'

const IMAGE = `ghcr.io/shopify/toxiproxy:${TOXIPROXY_VERSION}`

/**
 * A Toxiproxy container in the network of the host: the servers that it stands before listen on loopback there, and its
 * proxies listen on ports that are not known beforehand.
 */
export async function startDockerToxiproxy(): Promise<Started<ToxiproxyServer>> {
  const port = await choosePort(null, 'Toxiproxy')
  const container = await new GenericContainer(IMAGE)
    .withNetworkMode('host')
    .withCommand(['-host', LOOPBACK, '-port', String(port)])
    .withWaitStrategy(Wait.forLogMessage('Starting Toxiproxy HTTP server'))
    .start()
  return {
    server: {
      apiUrl: `http://${LOOPBACK}:${port}`,
      origin: 'docker',
      version: `Toxiproxy ${TOXIPROXY_VERSION}`,
    },
    stop: async () => {
      await container.stop()
    },
  }
}
