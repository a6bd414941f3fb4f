import { expect, test } from 'vitest'
import { parseLogFileName } from '../../../migrate/log/file-names.ts'

const V = '00000000000000000012'
const UUID = '80a083e8-7026-4e79-81be-64bd76c43a11'

test.each([
  [`${V}.json`, { kind: 'commit', version: 12 }],
  [`${V}.crc`, { kind: 'checksum', version: 12 }],
  [`${V}.00000000000000000020.compacted.json`, { kind: 'compacted', from: 12, to: 20 }],
  [`${V}.checkpoint.parquet`, { kind: 'checkpoint', version: 12 }],
  [
    `${V}.checkpoint.0000000002.0000000003.parquet`,
    { kind: 'checkpoint-part', version: 12, part: 2, parts: 3 },
  ],
  [`${V}.checkpoint.${UUID}.parquet`, { kind: 'checkpoint-v2', version: 12, format: 'parquet' }],
  [`${V}.checkpoint.${UUID}.json`, { kind: 'checkpoint-v2', version: 12, format: 'json' }],
  ['_last_checkpoint', null],
  [`.${V}.json.crc`, null],
  [`${V}.json.tmp`, null],
  ['12.json', null],
  [`_staged_commits/${V}.${UUID}.json`, null],
])('the name %s is read as what it says', (name, meaning) => {
  expect(parseLogFileName(name)).toEqual(meaning)
})
