import { fileURLToPath } from 'node:url'

/** The file that starts this program, for commands of it as children: TypeScript in a checkout, JavaScript in the package. */
export const MAIN_FILE = fileURLToPath(new URL(`./main${import.meta.url.slice(-3)}`, import.meta.url))
