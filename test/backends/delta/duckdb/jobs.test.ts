import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, planJobs } from '../../../../backends/delta/duckdb/jobs.ts'

const TARGET_BYTES = 100

const workArbitrary = fc
  .record({
    partitions: fc.integer({ min: 1, max: 4 }),
    files: fc.array(fc.record({ partition: fc.nat({ max: 3 }), bytes: fc.integer({ min: 1, max: 150 }) }), {
      maxLength: 12,
    }),
    bringing: fc.uniqueArray(fc.nat({ max: 3 })),
  })
  .map(({ partitions, files, bringing }) => ({
    partitions: Array.from({ length: partitions }, (_, index) => ({
      index,
      text: `p${index}`,
      condition: 'true',
      rows: 1,
    })),
    replaced: files.map(({ partition, bytes }, index) => ({
      index,
      partitionIndex: partition % partitions,
      path: `${index}`,
      uri: `/${index}`,
      bytes,
      rows: 1,
    })),
    bringing: new Set(bringing),
  }))

test('each file is written anew in one job of its partition, and the batch goes to one job of each', () => {
  fc.assert(
    fc.property(workArbitrary, (work) => {
      const jobs = planJobs(work, TARGET_BYTES)
      const written = jobs.flatMap(({ partition, files }) =>
        files.map((file) => {
          expect(file.partitionIndex).toBe(partition.index)
          return file.index
        }),
      )
      expect(written.toSorted((left, right) => left - right)).toEqual(work.replaced.map(({ index }) => index))
      for (const { index } of work.partitions) {
        const taking = jobs.filter(({ partition, takesBatch }) => takesBatch && partition.index === index)
        expect(taking).toHaveLength(work.bringing.has(index) ? 1 : 0)
      }
      for (const { files, takesBatch } of jobs) expect(takesBatch || files.length > 0).toBe(true)
    }),
  )
})

test('files become one up to the target size, and no two that fit together stay apart', () => {
  fc.assert(
    fc.property(workArbitrary, (work) => {
      const jobs = planJobs(work, TARGET_BYTES).filter(({ files }) => files.length > 0)
      for (const { files } of jobs) expect(files.length === 1 || bytesOf(files) <= TARGET_BYTES).toBe(true)
      for (const { index } of work.partitions) {
        const sizes = jobs
          .filter(({ partition }) => partition.index === index)
          .map(({ files }) => bytesOf(files))
          .toSorted((left, right) => left - right)
        const [least, next] = sizes
        if (least !== undefined && next !== undefined) expect(least + next).toBeGreaterThan(TARGET_BYTES)
      }
    }),
  )
})

test('the rows of a batch go where the least is', () => {
  const partition = { index: 0, text: null, condition: 'true', rows: 1 }
  const file = (index: number, bytes: number) => ({
    index,
    partitionIndex: 0,
    path: '',
    uri: '',
    bytes,
    rows: null,
  })
  const jobs = planJobs(
    { partitions: [partition], replaced: [file(0, 90), file(1, 400), file(2, 60)], bringing: new Set([0]) },
    TARGET_BYTES,
  )
  const taking = jobs.filter(({ takesBatch }) => takesBatch)
  expect(taking.map(({ files }) => files.map(({ index }) => index))).toEqual([[2]])
})
