import type { PodSubprocess } from '../../../platform/pods/subprocess.ts'

/** The next line of a program's output; the program must write one line per answer. */
export async function nextLine(subprocess: PodSubprocess): Promise<string> {
  return new Promise((resolve, reject) => {
    subprocess.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
    void subprocess.then(() => reject(new Error('the program ended without an answer')))
  })
}
