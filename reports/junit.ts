/** JUnit XML as CI systems read it: one test case a check or cell, in suites by scenario. */
import { plainText } from './plain-text.ts'

export interface TestCase {
  readonly suite: string
  /** Groups cases within a suite, as `ducklake/merge`. */
  readonly group: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped; what was measured where it passed. */
  readonly text: string
  readonly seconds?: number
}

export function renderJunit(cases: readonly TestCase[]): string {
  const suites = [...Map.groupBy(cases, ({ suite }) => suite)].map(([name, own]) => suiteOf(name, own))
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lakeduel"${counts(cases)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteOf(name: string, cases: readonly TestCase[]): string {
  return [
    `  <testsuite name="${escapeXml(name)}"${counts(cases)}>`,
    ...cases.map(caseOf),
    '  </testsuite>',
  ].join('\n')
}

function caseOf({ group, name, outcome, text, seconds }: TestCase): string {
  const time = seconds === undefined ? '' : ` time="${seconds.toFixed(3)}"`
  const open = `    <testcase classname="${escapeXml(group)}" name="${escapeXml(name)}"${time}`
  const message = escapeXml(text)
  switch (outcome) {
    case 'passed':
      return text === '' ? `${open}/>` : `${open}><system-out>${message}</system-out></testcase>`
    case 'failed':
      return `${open}><failure message="${message}"/></testcase>`
    case 'skipped':
      return `${open}><skipped message="${message}"/></testcase>`
    default:
      return outcome satisfies never
  }
}

function counts(cases: readonly TestCase[]): string {
  const of = (outcome: TestCase['outcome']) => cases.filter((one) => one.outcome === outcome).length
  return ` tests="${cases.length}" failures="${of('failed')}" skipped="${of('skipped')}"`
}

/** XML 1.0 has no way at all to write most control characters or half of a surrogate pair, so they are spelled out. */
function escapeXml(text: string): string {
  return plainText(text.toWellFormed())
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
