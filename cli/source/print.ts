export interface JsonOption {
  readonly json?: boolean
}

/** Data as JSON, or the text for people, on stdout. */
export function print({ json }: JsonOption, data: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(data, null, 2) : text}\n`)
}
