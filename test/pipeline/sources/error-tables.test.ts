import { expect, test } from 'vitest'
import { SOURCES } from '../../../pipeline/sources/registry.ts'
import type { SourceDefinition } from '../../../pipeline/sources/source.ts'

const HEAD = `# What each failure of a source means

The error tables of the sources that come with lakeduel, in the order in which they are looked through; what the classes mean is told in [writing-a-source.md](writing-a-source.md). This page is made from the tables:
\`vitest -u test/pipeline/sources/error-tables.test.ts\` makes it anew.
`

test('the page of all error tables is as the tables are', async () => {
  const definitions = await Promise.all(Object.values(SOURCES).map((load) => load()))
  const page = [HEAD, ...definitions.map(section)].join('\n')
  await expect(page).toMatchFileSnapshot('../../../docs/source-errors.md')
})

function section({ name, title, errors }: SourceDefinition): string {
  const lines = errors.map((rule) => `| \`${rule.code}\` | ${rule.class} | ${cell(rule.remedy)} |`)
  return [`## ${name}: ${title}`, '| code | class | what to do |', '|---|---|---|', ...lines, ''].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}
