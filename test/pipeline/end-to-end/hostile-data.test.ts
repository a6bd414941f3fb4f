import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Arm } from '../../../backends/backend.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'
import { SourceDatabase } from './source-database.ts'

const FORMATS: readonly Arm[] = ['ducklake/delete-insert', 'delta/deltalite']
const QUICK = ['--claim-ttl', '2s', '--retry-backoff', '100ms', '--json']

async function syncLines(lake: TestLake, content: string | Uint8Array, flags: readonly string[]) {
  const location = join(lake.folder, 'rows.ndjson')
  await writeFile(location, content)
  const source = ['--source', 'files', '--set', `location=${location}`, '--table', 'rows']
  return lake.run(['sync', ...source, ...flags, ...QUICK])
}

describe.each(FORMATS)('a sync to %s', (arm) => {
  const to = (...flags: readonly string[]) => ['--to', arm, '--mode', 'full-refresh', ...flags]

  test('takes rows of 2,000 columns', async () => {
    await using lake = await TestLake.open()
    const names = Array.from({ length: 2_000 }, (_, column) => `column_${column}`)
    const row = (id: number) => ({
      id,
      ...Object.fromEntries(names.map((name, at) => [name, id * 10_000 + at])),
    })
    const lines = Array.from({ length: 10 }, (_, id) => `${JSON.stringify(row(id))}\n`).join('')
    const run = await syncLines(lake, lines, to('--primary-key', 'id', '--partition', 'none'))
    expect(run.exitCode, run.stderr).toBe(0)
    const [wrong] = await lake.query(arm, z.object({ rows: z.bigint(), right: z.bigint() }), (relation) => {
      const all = names.map((name, at) => `"${name}" = id * 10000 + ${at}`).join(' AND ')
      return `SELECT count(*) AS rows, count(*) FILTER (${all}) AS right FROM ${relation('rows')}`
    })
    expect(wrong).toEqual({ rows: 10n, right: 10n })
  }, 200_000)

  test('keeps what is odd in texts, NUL and all', async () => {
    await using lake = await TestLake.open()
    const texts = [
      'a\u0000b',
      '\u0000',
      '',
      "'; DROP TABLE rows; --",
      '"',
      '\\',
      '🦆\ufffe',
      'é'.normalize('NFD'),
      '\r\n',
      '%_{}',
    ]
    const lines = texts.map((text, id) => `${JSON.stringify({ id: `${id} ${text}`, text })}\n`).join('')
    for (const mode of ['full-refresh', 'append']) {
      const run = await syncLines(lake, lines, ['--to', arm, '--mode', mode, '--primary-key', 'id'])
      expect(run.exitCode, run.stdout + run.stderr).toBe(0)
    }
    const rows = await lake.query(
      arm,
      z.object({ text: z.string() }),
      (relation) => `SELECT text FROM ${relation('rows')} ORDER BY CAST(split_part(id, ' ', 1) AS INTEGER)`,
    )
    expect(rows.map(({ text }) => text)).toEqual(texts.flatMap((text) => [text, text]))
  }, 200_000)

  test('takes names that try to be SQL, of tables and of columns', async () => {
    const table = `x"; DROP TABLE y; --`
    const columns = [
      `id`,
      `a"b'); DELETE FROM z; --`,
      `\${1+1}`,
      'select',
      'ü β',
      'ID',
      'lakeduel_partition',
      'file_row_number',
    ]
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
    await using database = await SourceDatabase.open(
      `CREATE TABLE ${quoted(table)} (${columns.map((name, at) => `${quoted(name)} ${at === 0 ? 'int PRIMARY KEY' : 'text'}`).join()})`,
      `INSERT INTO ${quoted(table)} SELECT i, ${columns
        .slice(1)
        .map((_, at) => `'${at} ' || i`)
        .join()} FROM generate_series(1, 100) AS i`,
    )
    await using lake = await TestLake.open()
    const flags = ['--table', table, '--as', 'odd', '--partition', 'md5:id:3', ...QUICK]
    const run = await lake.run(['sync', ...database.flags, ...to(...flags)])
    expect(run.exitCode, run.stderr).toBe(0)
    expect(await lake.contents(arm, 'odd')).toMatchObject({ rows: 100n, keys: 100n })
    const unnamed = await lake.run(['sync', ...database.flags, ...to('--table', table), ...QUICK])
    expect(outcomeOf(unnamed)).toMatchObject({
      status: 'done',
      tables: [{ table: expect.stringMatching(/^[a-z_0-9]+$/) }],
    })
  }, 200_000)
})

describe('a file that is no text', () => {
  test.each([
    ['invalid_utf8', Buffer.from('{"id":1}\n{"id":2,"a":"\xff"}\n', 'latin1')],
    ['nul_character', Buffer.from('{"id":1}\n{"id":2}\0\n')],
    ['broken_json', Buffer.from('{"id":1}\n{"id":\n')],
  ])(
    'is refused as %s with the line, and nothing of its page is staged, so that it can be corrected',
    async (code, content) => {
      await using lake = await TestLake.open()
      const run = await syncLines(lake, content, ['--to', 'ducklake', '--mode', 'append'])
      expect(run.exitCode).toBe(1)
      const [table] = outcomeOf(run).tables
      expect(table).toMatchObject({ failure: { class: 'user', code }, counts: { rowsStaged: 0 } })
      expect(table?.failure?.message).toContain('rows.ndjson, line 2,')
    },
    60_000,
  )
})
