import { describe, expect, test } from 'vitest'
import { compareCommand } from '../../../cli/commands/compare.ts'
import { assertDiffer, benchCommand, pairOf } from '../../../cli/compare/subjects.ts'

const compare = (...args: readonly string[]) =>
  expect(compareCommand().parseAsync([process.execPath, 'compare', ...args])).rejects

test('two versions are two, the baseline first', () => {
  expect(pairOf('deltalake', ' 1.2.1, 1.6.6')).toEqual(['1.2.1', '1.6.6'])
  for (const text of ['1.2.1', '1.2.1,', ',1.2.1', '1,2,3', ''])
    expect(() => pairOf('deltalake', text)).toThrow('takes two')
})

describe('is refused before anything is made:', () => {
  test('what can not be told apart, or is asked for in several ways', async () => {
    await compare('--deltalake', '1,2', '--refs', 'a,b').toThrow("can't be compared at once")
    await compare('--refs', 'a,b', '--duckdb-extensions', '1,2').toThrow(
      "--duckdb-extensions and --refs can't be compared at once",
    )
    await compare('--deltalake', '1,2', 'results.json').toThrow('not some of each')
    await compare('--refs', 'a,b', '--baseline-cmd', 'true {out}').toThrow('not some of each')
    await compare('--bench', '--profile smoke', 'a.json', 'b.json').toThrow('which versions of what')
  })

  test('a version that is none, which pip would take for an option or a range', async () => {
    for (const version of ['--index-url=elsewhere', '>1.0', 'latest', '1.6.6;x'])
      await compare('--deltalake', `1.6.6,${version}`).toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('a DuckDB that is no version, which npm would take for a range or an address', async () => {
    for (const version of ['latest', '>1.0', '1.5', 'file:../elsewhere', '1.5.4-r.1'])
      await compare('--duckdb-extensions', `1.5.5,${version}`).toThrow(`"${version}" is no version of DuckDB`)
  })

  test('a ref that the repository does not have, whatever it looks like', async () => {
    for (const ref of ['no-such-branch', '--help', 'HEAD~100000'])
      await compare('--refs', `HEAD,${ref}`).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(ref),
      })
  })
})

test('the command of a side names its environment and gets every argument through the shell whole', () => {
  expect(benchCommand("/a b/it's/main.ts", { LAKEDUEL_DELTALAKE: '1.2.1' }, '--profile smoke')).toBe(
    String.raw`LAKEDUEL_DELTALAKE='1.2.1' '${process.execPath}' '/a b/it'\''s/main.ts' bench --profile smoke --repeat 1 --no-aa --out {out}`,
  )
})

test('two versions of what no arm uses are one thing measured twice', () => {
  const subjects = { what: 'deltalake', baseline: '1.2.1', candidate: '1.6.6' } as const
  const differing = (...subject: readonly string[]) => ({ differences: { conditions: [], subject } })
  expect(() => assertDiffer(subjects, differing())).toThrow("doesn't use deltalake")
  expect(() =>
    assertDiffer(subjects, differing('deltalite: 1 in the baseline, 2 in the candidate')),
  ).toThrow()
  assertDiffer(subjects, differing('deltalake: 1.2.1 in the baseline, 1.6.6 in the candidate'))
  assertDiffer({ ...subjects, candidate: '1.2.1' }, differing())
})
