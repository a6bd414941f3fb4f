import { readFileSync } from 'node:fs'
import { assert, expect, test } from 'vitest'
import { metricsOf } from '../../reports/metrics.ts'
import { parseResults } from '../../reports/schema.ts'
import { summarize } from '../../reports/summary.ts'

const read = (name: string) => readFileSync(new URL(`results-v1/${name}.json`, import.meta.url), 'utf8')

test('a run that the first release measured keeps its figures', () => {
  const old = JSON.parse(read('passed'))
  const results = parseResults(read('passed'))
  expect(results).toMatchObject({ schemaVersion: 2, run: { id: old.run.id, network: null } })
  for (const [index, cell] of results.cells.entries()) {
    const before = old.cells[index]
    assert(cell.status === 'ok')
    expect(cell).toMatchObject({ id: before.id, arm: before.arm, point: {}, oracle: before.oracle })
    expect(cell.phases).toEqual(before.measurements.phases)
    const { applied, stored } = before.measurements
    expect(metricsOf(cell).get('rowsApplied')?.value).toBe(applied.rows)
    expect(metricsOf(cell).get('bytesWritten')?.value).toBe(stored.afterApply.bytes - stored.before.bytes)
    expect(metricsOf(cell).get('storedBytesMaintained')?.value).toBe(stored.afterMaintenance.bytes)
  }
})

test('its engine out of memory and its killed pod are told apart still', () => {
  const { cells } = parseResults(read('killed'))
  expect(cells.map(({ arm, status }) => [arm, status])).toEqual([
    ['ducklake/merge', 'engine-error'],
    ['delta/merge', 'oom-killed'],
  ])
  expect(cells[0]).toMatchObject({ code: 'ENGINE_OUT_OF_MEMORY', phase: 'apply' })
  expect(cells[1]).toMatchObject({ capBytes: 110 * 1024 ** 2, mechanism: 'cgroup-v1' })
  expect(cells[1]).toHaveProperty('completed.read-before.wallMs')
})

test('it is reported like a run of today', () => {
  const [scenario] = summarize(parseResults(read('passed'))).scenarios
  expect(scenario?.points[0]?.arms.map(({ outcome }) => outcome)).toEqual(['passed', 'passed'])
  expect(scenario?.verdict.headline).toContain('in one repetition, which settles nothing')
})

test('a broken file of the first release names its own field', () => {
  const old = JSON.parse(read('passed'))
  delete old.cells[1].measurements
  expect(() => parseResults(JSON.stringify(old))).toThrow('cells[1].measurements')
})
