import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { LakeduelError } from '../../platform/errors.ts'
import { renderAnswers } from '../../reports/answer/markdown.ts'
import { differencesOf } from '../../reports/answer/results-set.ts'
import { type Answers, answerFrom } from '../../reports/answer.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'

interface AnswerOptions {
  readonly out?: string
  readonly json?: boolean
  readonly mixed?: boolean
}

const EXAMPLES = `
Examples:
  lakeduel answer results.json                       the answers as Markdown
  lakeduel answer run-1 run-2 --out docs/answers.md  of several runs; a scenario's newest run counts
  lakeduel answer results.json --json                with the figures that each sentence rests on
`

/** `lakeduel answer`: prose that comes from results alone. */
export function answerCommand(): Command {
  return new Command('answer')
    .description('answer the three questions from results: sentences, figures, a decision table')
    .argument('<results...>', 'results.json, results.ndjson, or the folder of a run')
    .option('--out <file>', 'write the Markdown there, and print the sentences only')
    .option('--json', 'print JSON')
    .option('--mixed', 'take runs of different machines or versions together')
    .addHelpText('after', EXAMPLES)
    .action(answer)
}

async function answer(paths: readonly string[], options: AnswerOptions): Promise<void> {
  const { out, mixed } = options
  const runs = await Promise.all(paths.map(readResults))
  if (mixed !== true) assertAlike(runs)
  const answers = answerFrom(runs)
  if (out !== undefined) await write(out, renderAnswers(answers))
  process.stdout.write(textOf(answers, options))
}

function textOf(answers: Answers, { out, json }: AnswerOptions): string {
  if (json === true) return `${JSON.stringify(answers, null, 2)}\n`
  return out === undefined ? renderAnswers(answers) : sentencesOf(answers)
}

function sentencesOf({ answers }: Answers): string {
  return answers
    .map(
      ({ question, sentence }) => `${question}\n  ${sentence?.text ?? 'These results do not answer it'}.\n`,
    )
    .join('\n')
}

/** Figures of two machines side by side would look like a comparison, and are none. */
function assertAlike(runs: readonly Results[]): void {
  const differences = differencesOf(runs)
  if (differences.length === 0) return
  throw new LakeduelError('USAGE', `The runs differ: ${differences.join('; ')}.`, {
    facts: { differences },
    remedy: 'Give runs of one machine and the same versions, or say --mixed to have them in one document.',
  })
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((cause: unknown) => {
    throw new LakeduelError('USAGE', `The answers cannot be written to ${path}.`, {
      facts: { path },
      remedy: 'Give --out a file in a folder that exists and that you may write to.',
      cause,
    })
  })
}
