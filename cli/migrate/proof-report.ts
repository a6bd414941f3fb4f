import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Proof } from '../../migrate/verify/proof.ts'
import { proofLines } from './proof-text.ts'

/**
 * Writes a proof as `proof.json`, `proof.md` and `proof.html`, each with the SHA-256 of the JSON, so that whoever signs one of
 * them signs all.
 * @returns the paths
 */
export async function writeProof(folder: string, proof: Proof): Promise<readonly string[]> {
  const json = `${JSON.stringify(proof, null, 2)}\n`
  const digest = createHash('sha256').update(json).digest('hex')
  await mkdir(folder, { recursive: true })
  const files = {
    'proof.json': json,
    'proof.md': markdown(proof, digest),
    'proof.html': html(proof, digest),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return Object.keys(files).map((name) => join(folder, name))
}

function facts(proof: Proof, digest: string): readonly (readonly [string, string])[] {
  const software = Object.entries(proof.software).map(([name, version]) => `${name} ${version}`)
  return [
    ['Outcome', `${proof.passed ? 'passed' : 'FAILED'}: ${proof.verdict}`],
    ['Delta table', `${proof.source}, version ${proof.version}`],
    ['DuckLake table', `${proof.table.schema}.${proof.table.table}, snapshot ${proof.snapshot}`],
    ['Checked at', proof.checkedAt],
    ['Software', software.join(', ')],
    ['SHA-256 of proof.json', digest],
  ]
}

const COLUMN_TITLES = ['column', 'type', 'NULLs', 'smallest', 'largest', 'distinct, about', 'sum of hashes']

function columnRows({ columns }: Proof): readonly (readonly string[])[] {
  return columns.map(({ name, type, nulls, min, max, distinct, hash }) => [
    name,
    type,
    nulls,
    min ?? '',
    max ?? '',
    distinct === null ? '' : String(distinct),
    hash,
  ])
}

function markdown(proof: Proof, digest: string): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [
    '# Proof of a migration',
    '',
    row(['', '']),
    row(['---', '---']),
    ...facts(proof, digest).map((fact) => row(fact)),
    '',
    '```',
    ...proofLines(proof),
    '```',
    '',
    row(COLUMN_TITLES),
    row(COLUMN_TITLES.map(() => '---')),
    ...columnRows(proof).map(row),
    '',
    'Signed off by: ______________________ on: ______________',
    '',
  ].join('\n')
}

function html(proof: Proof, digest: string): string {
  const cells = (tag: string, values: readonly string[]) =>
    `<tr>${values.map((value) => `<${tag}>${escaped(value)}</${tag}>`).join('')}</tr>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Proof of a migration</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { border: 1px solid #bbb; padding: .3rem .6rem; text-align: left; vertical-align: top }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto }
</style></head><body>
<h1>Proof of a migration: ${proof.passed ? 'passed' : 'FAILED'}</h1>
<table>${facts(proof, digest)
    .map(([label, value]) => `<tr><th>${escaped(label)}</th><td>${escaped(value)}</td></tr>`)
    .join('')}</table>
<pre>${escaped(proofLines(proof).join('\n'))}</pre>
<table>${cells('th', COLUMN_TITLES)}${columnRows(proof)
    .map((values) => cells('td', values))
    .join('\n')}</table>
<p>Signed off by: ______________________ on: ______________</p>
</body></html>
`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
