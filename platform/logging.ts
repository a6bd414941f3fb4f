import { destination, type Logger, pino } from 'pino'
import { redact } from './config/redact.ts'

/** A logger to stderr, as stdout is for data. Everything passes `redact`, messages and error stacks included. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      hooks: { streamWrite: redactLine },
    },
    destination({ fd: 2, sync: true }),
  )
}

/** On the finished line, since errors bring their message, stack and causes into it only when they are serialized. */
function redactLine(line: string): string {
  return `${JSON.stringify(redact(JSON.parse(line)))}\n`
}
