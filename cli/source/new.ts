import { join, relative } from 'node:path'
import { scaffoldSource } from '../../pipeline/sources/scaffold.ts'
import { type JsonOption, print } from './print.ts'

export async function newSource(
  name: string,
  options: JsonOption & { readonly into: string },
): Promise<void> {
  const { folder, files } = await scaffoldSource(name, options.into)
  const path = relative(process.cwd(), folder)
  const shown = path.startsWith('..') ? folder : `./${path}`
  const text = [
    `${shown} has a source that works: ${files.join(', ')}.`,
    '',
    `  lakeduel source test ${shown}`,
    `  lakeduel sync --source ${shown} --table items --to ducklake`,
    '',
    `Begin with ${join(shown, 'service.ts')}, which stands for the service.`,
  ]
  print(options, { name, folder, files }, text.join('\n'))
}
