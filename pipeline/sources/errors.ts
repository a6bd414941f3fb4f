/**
 * What a failure of a source means: its own error table first, then what every network does, then lakeduel's own codes.
 * Whatever none of them knows is `system`: a failure that nobody thought of must end in a report and not in a retry.
 */

import { errorCode } from '../../platform/disk.ts'
import { type ErrorCode, LakeduelError, messageOf } from '../../platform/errors.ts'
import { hideSecrets } from './secrets.ts'
import type { ClassifiedFailure, ErrorRule, FailureClass, SourceDefinition } from './source.ts'

/** The code of a failure that no table knows. */
export const UNEXPECTED = 'unexpected'

const MAX_MESSAGE_CHARACTERS = 2_000
/** Errors within errors; one that is its own cause must not keep us here. */
const MAX_CAUSES = 10

interface NetworkRule {
  readonly code: string
  readonly class: FailureClass
  /** Codes of Node, of its `fetch`, and names of errors that carry none. */
  readonly systemCodes: readonly string[]
  readonly message: string
  readonly remedy: string
}

const NETWORK: readonly NetworkRule[] = [
  {
    code: 'unreachable',
    class: 'source',
    systemCodes: [
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'EHOSTDOWN',
      'ENETUNREACH',
      'ENETDOWN',
    ],
    message: 'The source cannot be reached',
    remedy: 'Check the address and that the source is up; the sync tries again by itself.',
  },
  {
    code: 'connection_lost',
    class: 'source',
    systemCodes: ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE'],
    message: 'The source closed the connection',
    remedy: 'The sync tries again by itself.',
  },
  {
    code: 'timed_out',
    class: 'source',
    systemCodes: [
      'ETIMEDOUT',
      'ESOCKETTIMEDOUT',
      'UND_ERR_CONNECT_TIMEOUT',
      'UND_ERR_HEADERS_TIMEOUT',
      'UND_ERR_BODY_TIMEOUT',
      'TimeoutError',
    ],
    message: 'The source did not answer in time',
    remedy: 'The sync tries again by itself.',
  },
  {
    code: 'certificate_refused',
    class: 'user',
    systemCodes: [
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    message: "The source's certificate is not trusted",
    remedy: 'Have the certificate renewed, or name its authority in NODE_EXTRA_CA_CERTS.',
  },
]

/** Of the codes that end with 1: those that a person can mend. All that end with more are of that kind. */
const USER_CODES: ReadonlySet<ErrorCode> = new Set([
  'TABLE_NOT_FOUND',
  'READ_NOT_RESUMABLE',
  'ROW_TOO_LARGE',
  'KEY_NULL',
  'SCHEMA_MISMATCH',
])

/**
 * @param secrets what must not show in the message ({@link hideSecrets} finds what looks like a key without them)
 */
export function classify(
  definition: Pick<SourceDefinition, 'errors'>,
  error: unknown,
  secrets: readonly string[] = [],
): ClassifiedFailure {
  const chain = causesOf(error)
  const failure =
    byErrorTable(definition.errors, chain) ?? byNetwork(chain) ?? byLakeduelCode(chain) ?? unexpected(error)
  return { ...failure, message: shortened(hideSecrets(failure.message, secrets)) }
}

/** Whether a line of an error table told the message, and not the error itself. */
export function isTold({ errors }: Pick<SourceDefinition, 'errors'>, { code }: ClassifiedFailure): boolean {
  return [...errors, ...NETWORK].some((rule) => rule.code === code)
}

/** The error and what caused it, outermost first. */
export function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = []
  for (let at = error; at !== undefined && at !== null && chain.length < MAX_CAUSES; at = causeOf(at))
    chain.push(at)
  return chain
}

function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.cause === undefined) return error.errors[0]
  return error instanceof Error ? error.cause : undefined
}

function byErrorTable(rules: readonly ErrorRule[], chain: readonly unknown[]): ClassifiedFailure | null {
  for (const error of chain) {
    const rule = rules.find((candidate) => attempt(() => candidate.matches(error)) === true)
    if (rule !== undefined) return byRule(rule, error)
  }
  return null
}

function byRule(rule: ErrorRule, error: unknown): ClassifiedFailure {
  return {
    class: rule.class,
    code: rule.code,
    message: attempt(() => rule.message(error)) ?? `The source failed: ${rule.code}.`,
    remedy: rule.remedy,
    retryAfterMs: attempt(() => rule.retryAfterMs?.(error)) ?? null,
  }
}

function byNetwork(chain: readonly unknown[]): ClassifiedFailure | null {
  for (const error of chain) {
    // What wraps a failure of the network in a code of ours has said already what it means.
    if (error instanceof LakeduelError) return null
    const codes = new Set([errorCode(error), error instanceof Error ? error.name : undefined])
    const rule = NETWORK.find(({ systemCodes }) => systemCodes.some((code) => codes.has(code)))
    if (rule !== undefined) {
      const { systemCodes, message, ...known } = rule
      const code = systemCodes.find((candidate) => codes.has(candidate))
      return { ...known, message: `${message} (${code}).`, retryAfterMs: null }
    }
  }
  return null
}

function byLakeduelCode(chain: readonly unknown[]): ClassifiedFailure | null {
  const error = chain.find((candidate) => candidate instanceof LakeduelError)
  if (error === undefined) return null
  return {
    class: classOf(error),
    code: error.code.toLowerCase(),
    message: error.message,
    remedy: error.remedy ?? 'Look at the failure bundle, or run the command again with more logging.',
    retryAfterMs: null,
  }
}

function classOf(error: LakeduelError): FailureClass {
  if (error.kind !== 'terminal') return 'source'
  const isMendable = error.exitCode > 1 || USER_CODES.has(error.code)
  return isMendable && error.code !== 'INTERRUPTED' ? 'user' : 'system'
}

function unexpected(error: unknown): ClassifiedFailure {
  const name = error instanceof Error ? error.name : typeof error
  return {
    class: 'system',
    code: UNEXPECTED,
    message: `Unexpected ${name}: ${messageOf(error)}`,
    remedy: 'Report it with its failure bundle; a line in the error table of the source would explain it.',
    retryAfterMs: null,
  }
}

/** A table that itself fails on an odd error must not hide that error. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

/** A statement of an engine can be as long as a table is wide, and messages are stored and shown. */
export function shortened(text: string): string {
  return text.length <= MAX_MESSAGE_CHARACTERS ? text : `${text.slice(0, MAX_MESSAGE_CHARACTERS)} …`
}
