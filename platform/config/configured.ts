import { LakeduelError } from '../errors.ts'
import type { ParsedConfig } from './schema.ts'

/** An S3 endpoint that the user named. */
export interface ConfiguredS3 {
  readonly url: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
  readonly urlStyle: 'path' | 'vhost'
  /** Null when a bucket is to be made for each run. */
  readonly bucket: string | null
  /** Without a leading slash and with a trailing one, or empty. */
  readonly prefix: string
}

/** A Postgres server that the user named. */
export interface ConfiguredPostgres {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly sslmode: 'disable' | 'require' | 'verify-full' | null
}

/** AWS credentials alone configure nothing: a benchmark must not reach a real account because a shell happens to hold its keys. */
export function configuredS3(s3: ParsedConfig['s3']): ConfiguredS3 | null {
  if (s3.endpoint === undefined && s3.bucket === undefined) return null
  if (s3.accessKeyId === undefined || s3.secretAccessKey === undefined) {
    throw new LakeduelError(
      'CONFIG_INVALID',
      'An S3 endpoint or bucket is configured, but no credentials for it.',
      {
        facts: { endpoint: s3.endpoint, bucket: s3.bucket },
        remedy:
          'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.accessKeyId and s3.secretAccessKey in the config file.',
      },
    )
  }
  return {
    url: s3.endpoint?.replace(/\/+$/, '') ?? `https://s3.${s3.region}.amazonaws.com`,
    region: s3.region,
    accessKeyId: s3.accessKeyId,
    secretAccessKey: s3.secretAccessKey,
    sessionToken: s3.sessionToken ?? null,
    urlStyle: s3.urlStyle ?? (isAws(s3.endpoint) ? 'vhost' : 'path'),
    bucket: s3.bucket ?? null,
    prefix: s3.prefix.replace(/^\/+|\/+$/g, '').replace(/(.)$/, '$1/'),
  }
}

function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || new URL(endpoint).hostname.endsWith('.amazonaws.com')
}

/** A URL or a host configures a server; a lone port is the wished port of a local one. */
export function configuredPostgres(postgres: ParsedConfig['postgres']): ConfiguredPostgres | null {
  if (postgres.url === undefined && postgres.host === undefined) return null
  const url = postgres.url === undefined ? null : new URL(postgres.url)
  const user = postgres.user ?? (decodeURIComponent(url?.username ?? '') || 'postgres')
  return {
    host: postgres.host ?? (url?.hostname || '127.0.0.1'),
    port: postgres.port ?? Number(url?.port || 5432),
    user,
    password: postgres.password ?? decodeURIComponent(url?.password ?? ''),
    database: postgres.database ?? (decodeURIComponent(url?.pathname.slice(1) ?? '') || user),
    sslmode: postgres.sslmode ?? sslmodeOf(url),
  }
}

function sslmodeOf(url: URL | null): ConfiguredPostgres['sslmode'] {
  const mode = url?.searchParams.get('sslmode') ?? null
  if (mode === null || mode === 'disable' || mode === 'require' || mode === 'verify-full') return mode
  throw new LakeduelError('CONFIG_INVALID', `Unknown sslmode '${mode}' in the Postgres URL.`, {
    facts: { sslmode: mode },
    remedy: "Use 'disable', 'require' or 'verify-full'.",
  })
}
