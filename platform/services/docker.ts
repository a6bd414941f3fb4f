import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Whether a Docker engine answers. Without any sign of one the answer is no at once: loading testcontainers to find out
 * takes a second.
 */
export async function dockerAnswers(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  if (!mayHaveDocker(env)) return false
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/** The places where testcontainers looks for an engine. */
function mayHaveDocker(env: NodeJS.ProcessEnv): boolean {
  const home = env.HOME ?? homedir()
  const places = [
    '/var/run/docker.sock',
    join(env.XDG_RUNTIME_DIR ?? '/run/user', 'docker.sock'),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
    join(home, '.testcontainers.properties'),
  ]
  return Boolean(env.DOCKER_HOST) || places.some((path) => existsSync(path))
}
