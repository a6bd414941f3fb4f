import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LakeduelError } from '../../platform/errors.ts'
import { packageRoot } from '../../platform/package-root.ts'
import { SOURCES } from './registry.ts'

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const TEMPLATE = join(packageRoot, 'pipeline/sources/template')
/** As the template imports it. */
const KIT = '../kit.ts'

export interface Scaffold {
  readonly folder: string
  readonly files: readonly string[]
}

/**
 * Makes a folder with a small source that works, and its test.
 * @throws LakeduelError `USAGE` for a name that can't be one, or a folder that is there already
 */
export async function scaffoldSource(name: string, into: string): Promise<Scaffold> {
  const folder = resolve(into, name)
  assertFree(name, folder)
  const files = (await readdir(TEMPLATE)).filter((file) => file.endsWith('.ts')).toSorted()
  await mkdir(folder, { recursive: true })
  for (const file of files) {
    const text = await readFile(join(TEMPLATE, file), 'utf8')
    await writeFile(join(folder, file), named(text, name).replaceAll(`'${KIT}'`, `'${kitFrom(folder)}'`), {
      flag: 'wx',
    })
  }
  return { folder, files }
}

function assertFree(name: string, folder: string): void {
  if (!NAME.test(name))
    throw new LakeduelError('USAGE', `"${name}" can't be the name of a source.`, {
      facts: { name },
      remedy: 'Take lower-case words with hyphens, such as web-shop.',
    })
  if (Object.hasOwn(SOURCES, name))
    throw new LakeduelError('USAGE', `There is a source "${name}" already.`, {
      facts: { name },
      remedy: 'Take another name.',
    })
  if (existsSync(folder))
    throw new LakeduelError('USAGE', `${folder} is there already.`, {
      facts: { folder },
      remedy: 'Take another name, or another folder with --into.',
    })
}

function named(text: string, name: string): string {
  const words = name.split('-')
  const pascal = words.map(capital).join('')
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1)
  const constant = name.replaceAll('-', '_').toUpperCase()
  return text
    .replaceAll('my-source', name)
    .replaceAll('MY_SOURCE', constant)
    .replaceAll('mySource', camel)
    .replaceAll('MySource', pascal)
    .replaceAll('My source', capital(words.join(' ')))
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** By the package's name where lakeduel is installed, else by the way to its files. */
function kitFrom(folder: string): string {
  const kit = fileURLToPath(new URL(`./kit${extname(import.meta.url)}`, import.meta.url))
  const inPackage = relative(packageRoot, kit).split(sep).join('/')
  if (packageRoot.endsWith(join('node_modules', 'lakeduel'))) return `lakeduel/${inPackage}`
  const path = relative(folder, kit).split(sep).join('/')
  return path.startsWith('.') ? path : `./${path}`
}
