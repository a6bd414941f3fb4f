import { pino } from 'pino'

/** Lines of JSON on stderr, for log collectors; what a person reads is written by the commands themselves. */
export const logger = pino(
  { base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, messageKey: 'message' },
  pino.destination({ fd: 2, sync: true }),
)
