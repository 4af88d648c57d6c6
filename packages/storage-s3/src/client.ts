import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { BackupError } from '@holdfast/core'
import type { ResolvedS3Options } from './options.js'

/** The SDK, loaded, and a client of it. */
export interface Connection {
  readonly sdk: typeof import('@aws-sdk/client-s3')
  readonly client: S3Client
}

/** Loads the SDK (some 100 ms, which a program that never uses S3 does not pay) and makes a client. */
export async function connect(options: ResolvedS3Options): Promise<Connection> {
  const sdk = await import('@aws-sdk/client-s3')
  return { sdk, client: new sdk.S3Client(clientConfig(options)) }
}

/** Settings of the client. Retries pause with full jitter, from 100 ms (500 ms when told to slow down) up to 20 s. */
export function clientConfig(options: ResolvedS3Options): S3ClientConfig {
  return {
    region: options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1',
    followRegionRedirects: true,
    forcePathStyle: options.pathStyle ?? options.endpoint !== undefined,
    maxAttempts: options.attempts,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: options.connectTimeout,
      socketTimeout: options.idleTimeout,
      ...(options.caFile !== undefined && {
        httpsAgent: { keepAlive: true, maxSockets: 50, ca: trusted(options.caFile) },
      }),
    },
    ...(options.endpoint !== undefined && { endpoint: options.endpoint, ...onlyNeededChecksums }),
    ...credentials(options),
  }
}

/**
 * Cloudflare R2 and others refuse the checksums that the SDK adds by default. Parts are covered by their signed hash,
 * and whole objects by the SHA-256 in the manifest.
 */
const onlyNeededChecksums = {
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
} as const

function credentials(options: ResolvedS3Options): Pick<S3ClientConfig, 'credentials'> {
  const { accessKeyId, secretAccessKey, sessionToken } = options
  if (accessKeyId === undefined || secretAccessKey === undefined) return {} // the chain of the SDK, which also refreshes
  return {
    credentials: {
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken && { sessionToken: sessionToken.reveal() }),
    },
  }
}

function trusted(caFile: string): string[] {
  try {
    return [...rootCertificates, readFileSync(caFile, 'utf8')]
  } catch (cause) {
    throw new BackupError('storage-config-invalid', {
      message: `The certificate file ${caFile} of the S3 storage cannot be read`,
      hint: 'Set caFile to a PEM file that this user may read.',
      cause,
    })
  }
}
