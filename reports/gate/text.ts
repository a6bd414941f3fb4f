/** A gate as text: the verdict, what fails, what stays open or is acknowledged; what passed is counted. */

import { plural } from '../format.ts'
import { escapeMarkdown, renderList } from '../markdown/markup.ts'
import { plainText } from '../plain-text.ts'
import { type ConsoleOptions, paint, wrap } from '../terminal.ts'
import type { Check, Gate } from './check.ts'
import { describeCheck } from './limits.ts'

const HEADLINES: Readonly<Record<Gate['verdict'], string>> = {
  pass: 'The gate is passed',
  regression: 'The gate is not passed: regression',
  'wrong-data': 'The gate is not passed: wrong data',
  inconclusive: 'The gate is inconclusive',
}
/** The gravest first. */
const SECTIONS: readonly (readonly [status: Check['status'], title: string])[] = [
  ['wrong-data', 'Wrong data'],
  ['failed', 'Failed'],
  ['inconclusive', 'Inconclusive'],
  ['acknowledged', 'Acknowledged'],
]

function headlineOf({ verdict, checks }: Gate): string {
  const passed = checks.filter(({ status }) => status === 'passed').length
  return `${HEADLINES[verdict]} (${passed} of ${plural(checks.length, 'check')} passed).`
}

export function renderGate(gate: Gate, options: ConsoleOptions): string {
  const told = (text: string) => wrap(plainText(text), options.width, '  ')
  return [
    paint('bold', told(headlineOf(gate)), options),
    ...sectionsOf(gate).flatMap(({ title, checks }) => [
      '',
      paint('bold', title, options),
      ...checks.map((check) => told(`· ${describeCheck(check)}`)),
    ]),
    ...(gate.notes.length === 0 ? [] : ['', ...gate.notes.map((note) => told(`· ${note}`))]),
  ].join('\n')
}

export function renderGateMarkdown(gate: Gate): string {
  const sections = [
    `## ${escapeMarkdown(headlineOf(gate))}`,
    ...sectionsOf(gate).flatMap(({ title, checks }) => [
      `### ${title}`,
      renderList(checks.map(describeCheck), ''),
    ]),
    ...(gate.notes.length === 0 ? [] : [renderList(gate.notes, '')]),
  ]
  return `${sections.join('\n\n')}\n`
}

function sectionsOf({
  checks,
}: Gate): readonly { readonly title: string; readonly checks: readonly Check[] }[] {
  return SECTIONS.flatMap(([status, title]) => {
    const own = checks.filter((check) => check.status === status)
    return own.length === 0 ? [] : [{ title, checks: own }]
  })
}
