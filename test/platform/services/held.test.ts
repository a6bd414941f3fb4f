import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { endHeldServices, readHeldServices } from '../../../platform/services/held.ts'
import { holdServices } from '../../../platform/services/hold.ts'
import { startServices } from '../../../platform/services/services.ts'
import { openTestHome } from './home.ts'

it('held services are used by runs, held once, readable by their owner only, and gone when they are ended', async () => {
  await using home = await openTestHome()
  const config = await home.config()
  const [held, again] = await Promise.all([holdServices(config, {}), holdServices(config, {})])
  expect(again).toEqual(held)
  expect((await stat(join(home.folder, 'services.json'))).mode & 0o777).toBe(0o600)
  {
    await using run = await startServices(config, { runId: 'held' })
    expect(run.postgres.port).toBe(held.servers.postgres?.port)
    expect(run.describe().storage['url']).toBe(held.servers.s3?.url)
  }
  expect(await readHeldServices(home.folder)).toEqual(held)
  expect(await endHeldServices(home.folder)).toBe(true)
  expect(await readHeldServices(home.folder)).toBeNull()
  expect(await home.leftovers()).toEqual([])
  expect(await endHeldServices(home.folder)).toBe(false)
})

it('there is nothing to hold when both services are configured', async () => {
  await using home = await openTestHome()
  const config = await home.config({
    LAKEDUEL_STORAGE: 'local',
    LAKEDUEL_POSTGRES: 'postgresql://u:p@127.0.0.1:1/db',
  })
  await expect(holdServices(config, {})).rejects.toMatchObject({ code: 'USAGE' })
})
