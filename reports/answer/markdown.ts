import type { Answers, GivenAnswer } from '../answer.ts'
import { escapeMarkdown, renderList, renderTable } from '../markdown/markup.ts'
import { decisionTable } from './decisions.ts'

/** The answers as a page of documentation. */
export function renderAnswers({ answers, decisions, runs }: Answers): string {
  const dates = [...new Set(runs.map(({ date }) => date))]
  const sections = [
    '# The three answers',
    `Written by \`lakeduel answer\` from the results of ${dates.join(' and ')}; change the results, and the sentences change. Figures are medians with what they lie between.`,
    ...answers.map((answer, index) => renderAnswer(answer, index + 1)),
    decisions.length === 0
      ? '## What to choose\n\nNo figures decide anything yet.'
      : renderTable(decisionTable(decisions), '##'),
    ...runs.flatMap(({ date, command, scenarios, conditions, warnings, unmeasured }) => [
      `## The run of ${date}`,
      `It measured ${escapeMarkdown(scenarios.join(', ')) || 'nothing that is used here'}. Repeat it:`,
      `    ${command}`,
      renderTable({ ...conditions, title: 'Conditions' }, '###'),
      `### What makes it doubtful\n\n${renderList(
        warnings.map(({ message, remedy }) => `${message} ${remedy}`),
        'Nothing was noticed.',
      )}`,
      `### What it did not measure\n\n${renderList(unmeasured, 'Nothing.')}`,
    ]),
  ]
  return `${sections.join('\n\n')}\n`
}

function renderAnswer(
  { question, sentence, figures, tables, unmeasured }: GivenAnswer,
  number: number,
): string {
  return [
    `## ${number}. ${escapeMarkdown(question)}`,
    sentence === null ? '_These results do not answer it._' : `**${escapeMarkdown(`${sentence.text}.`)}**`,
    ...(figures.length === 0
      ? []
      : [
          renderList(
            figures.map(({ text }) => text),
            '',
          ),
        ]),
    ...tables.map((table) => renderTable(table, '###')),
    `### Not measured\n\n${renderList(unmeasured, 'Nothing that this answer would need.')}`,
  ].join('\n\n')
}
