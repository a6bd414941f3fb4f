import { randomBytes } from 'node:crypto'
import { GenericContainer, Wait } from 'testcontainers'
import type { S3Server } from '../server-schemas.ts'
import type { Started } from '../started.ts'
import { minioEnvironment } from './local.ts'

/** Docker Hub's MinIO images were deleted; this registry still serves the project's last release (testcontainers-node#1463). */
export const MINIO_IMAGE = 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z'
const PORT = 9000

/** A MinIO container; testcontainers' reaper removes it should this process be killed. */
export async function startDockerMinio(port: number | null): Promise<Started<S3Server>> {
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const container = await new GenericContainer(MINIO_IMAGE)
    .withCommand(['server', '/data'])
    .withEnvironment(minioEnvironment(accessKeyId, secretAccessKey))
    .withExposedPorts(port === null ? PORT : { container: PORT, host: port })
    .withWaitStrategy(Wait.forHttp('/minio/health/ready', PORT))
    .start()
  return {
    server: {
      url: `http://${container.getHost()}:${container.getMappedPort(PORT)}`,
      region: 'us-east-1',
      accessKeyId,
      secretAccessKey,
      urlStyle: 'path',
      origin: 'docker',
      version: `MinIO ${MINIO_IMAGE.split(':')[1] ?? ''}`,
    },
    stop: async () => {
      await container.stop({ remove: true, removeVolumes: true })
    },
  }
}
