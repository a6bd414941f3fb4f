import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { requirementsWith } from '../../../platform/setup/sidecar-requirements.ts'

const lock = await readFile(
  new URL('../../../backends/delta/sidecar/requirements.txt', import.meta.url),
  'utf8',
)
const locked = (name: string): string => new RegExp(`^${name}==(\\S+)`, 'm').exec(lock)?.[1] ?? ''
const others = (requirements: string): readonly string[] =>
  [...requirements.matchAll(/^[\w.-]+==\S+/gm)].map(([pin]) => pin).filter((pin) => !pin.startsWith('delta'))

test('the locked versions are installed from the lock as it is, with its hashes', () => {
  expect(requirementsWith(lock, {})).toBe(lock)
  expect(requirementsWith(lock, { deltalake: locked('deltalake'), deltalite: locked('deltalite') })).toBe(
    lock,
  )
})

test('another version of one engine leaves every other pin and marker as it is', () => {
  const older = requirementsWith(lock, { deltalake: '1.2.1' })
  expect(older).toContain('deltalake==1.2.1\n')
  expect(older).toContain(`deltalite==${locked('deltalite')} ; python_version >= "3.12"\n`)
  expect(older).not.toContain('--hash')
  expect(others(older)).toEqual(others(lock))
  expect(requirementsWith(lock, { deltalite: '0.1.9' })).toContain('deltalite==0.1.9 ; python_version')
})
