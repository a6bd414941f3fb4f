import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packaged, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/**
 * Tests run as root, too, where Chromium's sandbox refuses to start. What the package would add itself is left out: it
 * switches web security off.
 */
const ARGUMENTS = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none']

/** The headless Chromium that comes as an npm package, so that a page can be opened on any Linux, without root. */
export async function startChromium(): Promise<Browser> {
  const executablePath = await packaged.executablePath()
  const start = () => chromium.launch({ executablePath, args: ARGUMENTS })
  return await start().catch(async (cause: unknown) => {
    if (!String(cause).includes('shared libraries')) throw cause
    await unpackLibraries()
    return await start()
  })
}

/** Puts the libraries of the package (NSS, NSPR, expat) on the path, for machines that have none. */
async function unpackLibraries(): Promise<void> {
  await inflate(fileURLToPath(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'))))
  setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'))
}
