import { errorCode } from '../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'

/** Codes after which the same statement may succeed, with what each of them says. */
const TRANSIENT_CODES: Readonly<Record<string, string>> = {
  '57P01': 'the server is shut down, or the connection was ended by an administrator',
  '57P02': 'another server process crashed',
  '57P03': 'the server starts up or shuts down',
  '25P03': 'the transaction was idle for too long, and its connection was ended',
  '40001': 'serialization failure',
  '40P01': 'deadlock',
  '53300': 'too many connections',
  ECONNREFUSED: 'nothing listens',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke while it was written to',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route',
  EAI_AGAIN: 'the name server gave no answer',
}

/** Class 08 of Postgres: exceptions of the connection. */
const CONNECTION_CLASS = '08'

/** The Postgres client gives these no code. */
const TRANSIENT_TEXTS =
  /^connection terminated|^timeout exceeded when trying to connect|has encountered a connection error/i

/** Whether the same statement or transaction may succeed when it is run again. */
export function isTransient(error: unknown): boolean {
  if (error instanceof LakeduelError) return false
  const code = errorCode(error)
  if (code !== undefined && (code in TRANSIENT_CODES || code.startsWith(CONNECTION_CLASS))) return true
  // Where a host has several addresses, the error of each is in the list.
  if (error instanceof AggregateError) return error.errors.some(isTransient)
  return TRANSIENT_TEXTS.test(messageOf(error))
}
