import { decisionTable } from '../answer/decisions.ts'
import { answerFrom, type GivenAnswer } from '../answer.ts'
import type { Results } from '../schema.ts'
import { escapeHtml, renderList, renderTable } from './markup.ts'

/** What this run says to the three questions; empty where it answers none. */
export function renderAnswersSection(results: Results): string {
  const { answers, decisions } = answerFrom([results])
  if (answers.every(({ sentence }) => sentence === null)) return ''
  return `<section id="answers">
<h2>The three answers</h2>
${answers.map(renderAnswer).join('\n')}
${renderTable(decisionTable(decisions), 'folded')}
</section>`
}

function renderAnswer({ question, sentence, figures, tables, unmeasured }: GivenAnswer): string {
  if (sentence === null)
    return `<article class="verdict">
<h3>${escapeHtml(question)}</h3>
<p class="unanswered">This run does not answer it.</p>
</article>`
  return `<article class="verdict">
<h3>${escapeHtml(question)}</h3>
<p>${escapeHtml(`${sentence.text}.`)}</p>
<details><summary>The figures behind it, and what was not measured</summary>
${renderList(figures.map(({ text }) => text))}
${tables.map((table) => renderTable(table, 'folded')).join('\n')}
${renderList(unmeasured.map((gap) => `Not measured: ${gap}`))}
</details>
</article>`
}
