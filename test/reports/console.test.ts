import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { renderConsole } from '../../reports/console.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { madeUpResults } from './made-up-results.ts'

const plain = (width: number) => renderConsole(madeUpResults(), { width, color: false })
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test.each([200, 120, 100, 80, 60])('the report fits a terminal of %i columns', (width) => {
  expect(widest(plain(width))).toBeLessThanOrEqual(width)
})

test('120 columns show time, memory, requests, bytes written, the read after, and the verdict', () => {
  const text = plain(120)
  const row = text.split('\n').find((line) => line.startsWith('│ delta/merge-loop '))
  expect(row?.split('│').map((field) => field.trim())).toEqual([
    '',
    'delta/merge-loop',
    '43.0 s',
    '1×',
    '425 MiB (+245 MiB)',
    '5,191',
    '61.0 MiB',
    '666 ms',
    'passed',
    '',
  ])
})

test('a narrow terminal keeps the arm, its time, every failed arm and the sentences', () => {
  const text = plain(60)
  expect(text).toContain('8.42 s')
  expect(text).toContain('oom-killed')
  expect(text.replaceAll(/\s+/g, ' ')).toContain('ducklake/merge is 5.2× faster than delta/merge-loop')
})

test('colours change nothing but colours', () => {
  const colored = renderConsole(madeUpResults(), { width: 120, color: true })
  expect(colored).not.toBe(plain(120))
  expect(stripVTControlCharacters(colored)).toBe(plain(120))
})

test('colours are for terminals, and NO_COLOR turns them off there', () => {
  expect(consoleOptions({ isTTY: true, columns: 93 }, {})).toEqual({ width: 93, color: true })
  expect(consoleOptions({ isTTY: true, columns: 93 }, { NO_COLOR: '1' }).color).toBe(false)
  expect(consoleOptions({ isTTY: true, columns: 93 }, { TERM: 'dumb' }).color).toBe(false)
  expect(consoleOptions({ columns: 40 }, {})).toEqual({ width: 120, color: false })
})
