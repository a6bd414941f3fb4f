import { randomBytes } from 'node:crypto'
import { GenericContainer, Wait } from 'testcontainers'
import type { PostgresServer } from '../server-schemas.ts'
import type { Started } from '../started.ts'
import { DATABASE, SERVER_SETTINGS, USER } from './settings.ts'

export const POSTGRES_IMAGE = 'postgres:18'
const PORT = 5432

/** A Postgres container; testcontainers' reaper removes it should this process be killed. */
export async function startDockerPostgres(port: number | null): Promise<Started<PostgresServer>> {
  const password = randomBytes(20).toString('hex')
  const container = await new GenericContainer(POSTGRES_IMAGE)
    .withEnvironment({
      POSTGRES_USER: USER,
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: DATABASE,
      POSTGRES_INITDB_ARGS: '--lc-messages=C',
    })
    .withCommand(['postgres', ...SERVER_SETTINGS.flatMap((setting) => ['-c', setting])])
    .withExposedPorts(port === null ? PORT : { container: PORT, host: port })
    // The image starts the server twice: first for its init scripts, on a socket only.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start()
  return {
    server: {
      host: container.getHost(),
      port: container.getMappedPort(PORT),
      user: USER,
      password,
      database: DATABASE,
      origin: 'docker',
    },
    stop: async () => {
      await container.stop({ remove: true, removeVolumes: true })
    },
  }
}
