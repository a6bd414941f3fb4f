import { expect, test } from 'vitest'
import { renderAnswers } from '../../../reports/answer/markdown.ts'
import { answerFrom } from '../../../reports/answer.ts'
import { renderHtml } from '../../../reports/html.ts'
import { concurrency, memoryCap, pace, resultsOf } from './made-up-answers.ts'

const RESULTS = resultsOf([
  memoryCap({ 'ducklake/merge': [200, 205], 'delta/deltalite': [300, 400] }),
  concurrency({ 'ducklake/merge': { none: [pace(5), pace(40)] } }),
])

test('the page has the three questions in turn, each with its answer and what was not measured', () => {
  const text = renderAnswers(answerFrom([RESULTS]))
  const headings = text.split('\n').filter((line) => line.startsWith('## '))
  expect(headings).toEqual([
    '## 1. How well does DuckDB manage memory when it merges into a lake table?',
    '## 2. How efficient is DuckLake under concurrent writers?',
    '## 3. Can the same concurrency and memory safety be reached with Delta Lake?',
    '## What to choose',
    '## The run of 2026-01-05',
  ])
  expect(text.match(/### Not measured/g)).toHaveLength(3)
  expect(text).toContain('### Conditions')
})

test('a question without figures has no sentence', () => {
  const text = renderAnswers(answerFrom([resultsOf([])]))
  expect(text.match(/_These results do not answer it._/g)).toHaveLength(3)
  expect(text).toContain('No figures decide anything yet.')
})

test('the HTML report has the same sentences', () => {
  const html = renderHtml(RESULTS)
  expect(html).toContain('<h2>The three answers</h2>')
  expect(html).toContain(
    'Well, its need stays the same as the table grows: ducklake/merge merges into 400 MiB',
  )
  expect(html).toContain('No, as far as memory goes')
})

test('a run that answers nothing has no section for it', () => {
  expect(renderHtml(resultsOf([]))).not.toContain('The three answers')
})
