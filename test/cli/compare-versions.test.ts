import { expect, test } from 'vitest'
import { lakeduel, serviceVariables } from './lakeduel.ts'

/** They install Python environments from the package index, and measure for minutes: `LAKEDUEL_TEST_VERSIONS=1`. */
const online = test.skipIf(process.env['LAKEDUEL_TEST_VERSIONS'] !== '1')

/** Packages and environments are made first, on a machine that may have other work. */
const LONGEST_MS = 1_800_000

/** One request more or fewer is found at the first look. */
const MEASURED = ['--metric', 'apply.s3.*', '--max-minutes', '1', '--json']

online(
  'an upgrade of deltalake is measured with each version in its own environment (needs LAKEDUEL_TEST_VERSIONS=1)',
  async () => {
    const { stdout, stderr } = await lakeduel(['compare', '--deltalake', '1.0.2,1.2.1', ...MEASURED])
    const { comparison } = JSON.parse(stdout)
    expect(stderr).toContain('pair 1 of 8')
    expect(comparison.differences.subject).toContain(
      'deltalake: 1.0.2 in the baseline, 1.2.1 in the candidate',
    )
  },
  LONGEST_MS,
)

online(
  'a version that was never published ends it before anything is measured (needs LAKEDUEL_TEST_VERSIONS=1)',
  async () => {
    const { stdout, stderr, exitCode } = await lakeduel([
      'compare',
      '--deltalake',
      '1.2.1,99.0.0',
      ...MEASURED,
    ])
    expect(exitCode).toBe(4)
    expect(stdout).toBe('')
    expect(stderr).toContain('There is no deltalake 99.0.0 for this Python and platform.')
    expect(stderr).not.toContain('pair 1')
  },
  LONGEST_MS,
)

online(
  'two versions of DuckDB are measured, each with its own extensions (needs LAKEDUEL_TEST_VERSIONS=1)',
  async () => {
    const { stdout } = await lakeduel(['compare', '--duckdb-extensions', '1.5.4,1.5.5', ...MEASURED])
    const { comparison } = JSON.parse(stdout)
    expect(comparison.differences).toMatchObject({ conditions: [] })
    expect(comparison.differences.subject).toContain(
      'duckdb: v1.5.4 in the baseline, v1.5.5 in the candidate',
    )
    expect(comparison.differences.subject).toContainEqual(expect.stringMatching(/^ducklake: /))
  },
  LONGEST_MS,
)

online(
  'two commits are measured in worktrees of their own (needs LAKEDUEL_TEST_VERSIONS=1)',
  async () => {
    const { stdout } = await lakeduel(['compare', '--refs', 'HEAD~1,HEAD~2', ...MEASURED], serviceVariables())
    expect(JSON.parse(stdout).comparison.differences.subject).toContainEqual(
      expect.stringMatching(/^commit: /),
    )
  },
  LONGEST_MS,
)
