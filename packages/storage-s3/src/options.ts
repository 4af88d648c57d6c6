import { BackupError, describeOptionProblems, MiB, type Secret, secretValue } from '@holdfast/core'
import * as z from 'zod'

/** Part sizes that S3 takes: 5 MiB to 5 GiB, and the last part of an upload may be smaller. */
const partSizeRange = { min: 5 * MiB, max: 5 * 1024 * MiB }

/** Most bytes of a prefix: with a slash and the 512 bytes of a key it stays within the 1,024 of S3. */
const maxPrefixBytes = 480

/** An object bears 10 tags at most, and 3 are ours. */
const mostOwnTags = 7

const milliseconds = z.int().min(100).max(2_147_483_647)

/** Options of {@link s3} as a user may write them. Unknown ones are refused. */
export const s3OptionsSchema: z.ZodType<ResolvedS3Options, S3Options> = z
  .strictObject({
    bucket: z
      .string()
      .min(3)
      .max(255)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/, 'is not the name of a bucket')
      .describe('Name of the bucket. It must exist.'),
    prefix: z
      .string()
      .transform((prefix) => prefix.replace(/^\/+|\/+$/g, ''))
      .refine((prefix) => Buffer.byteLength(prefix) <= maxPrefixBytes, `is longer than ${maxPrefixBytes} bytes`)
      .refine((prefix) => prefix === '' || !prefix.split('/').some((s) => ['', '.', '..'].includes(s)), 'is not a path')
      .default('')
      .describe('Folder in the bucket that holds everything of this storage, for example prod/db.'),
    region: z.string().min(1).optional().describe('Region of the bucket. Default: AWS_REGION, else us-east-1.'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('URL of a service other than AWS, for example https://minio.example.com:9000.'),
    pathStyle: z
      .boolean()
      .optional()
      .describe('Put the bucket in the path of URLs, not in the host name. Default: true with an endpoint.'),
    accessKeyId: z
      .string()
      .min(1)
      .optional()
      .describe('Access key id. Without keys the SDK looks where it always does: environment, profiles, roles.'),
    secretAccessKey: secretValue.optional().describe('Secret access key.'),
    sessionToken: secretValue.optional().describe('Session token of temporary credentials.'),
    storageClass: z.string().min(1).optional().describe('Storage class of new objects, for example STANDARD_IA.'),
    sse: z.enum(['AES256', 'aws:kms']).optional().describe("Encryption by the service. Default: the bucket's own."),
    kmsKeyId: z.string().min(1).optional().describe('Key for aws:kms. Default: the default key of the account.'),
    tags: z
      .union([z.boolean(), z.record(z.string().min(1).max(128), z.string().max(256))])
      .refine((tags) => Object.keys(tags).length <= mostOwnTags, `has more than ${mostOwnTags} tags`)
      .default(false)
      .describe('Tags of data and manifests: true for database, type and backup-id, or a record to add to these.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of certificate authorities to trust beside the known ones.'),
    partSize: z
      .int()
      .min(partSizeRange.min)
      .max(partSizeRange.max)
      .default(8 * MiB)
      .describe('Bytes of the first parts of an upload. Default 8 MiB. It doubles as an object gets very large.'),
    queue: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe('Parts held at once: some are filled while others are sent. Memory is partSize × queue.'),
    maxParts: z
      .int()
      .min(20)
      .max(10_000)
      .default(10_000)
      .describe('Most parts of an upload that the service takes. Scaleway: 1000.'),
    attempts: z.int().min(1).max(20).default(8).describe('How often one request is tried, with growing pauses.'),
    connectTimeout: milliseconds.default(10_000).describe('Milliseconds to wait for a connection.'),
    idleTimeout: milliseconds
      .default(60_000)
      .describe('Milliseconds without a byte moving after which a request is given up and tried again.'),
    uploadTimeout: milliseconds.optional().describe('Most milliseconds that one upload may take. Default: no limit.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('What this storage is called in messages and records. Default: its bucket, prefix and endpoint.'),
  })
  .superRefine((options, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (options.accessKeyId && !options.secretAccessKey) issue('secretAccessKey', 'is missing: accessKeyId is set')
    if (options.secretAccessKey && !options.accessKeyId) issue('accessKeyId', 'is missing: secretAccessKey is set')
    if (options.sessionToken && !options.accessKeyId) issue('accessKeyId', 'is missing: sessionToken is set')
    if (options.kmsKeyId && options.sse !== 'aws:kms') issue('kmsKeyId', "needs sse: 'aws:kms'")
    if (options.endpoint && hasUserInfo(options.endpoint)) issue('endpoint', 'must not hold a user or password')
  })

type SecretInput = string | Secret | { env: string } | { file: string }

/** What {@link s3} takes. Only `bucket` is required. */
export interface S3Options {
  bucket: string
  prefix?: string | undefined
  region?: string | undefined
  endpoint?: string | undefined
  pathStyle?: boolean | undefined
  accessKeyId?: string | undefined
  secretAccessKey?: SecretInput | undefined
  sessionToken?: SecretInput | undefined
  storageClass?: string | undefined
  sse?: 'AES256' | 'aws:kms' | undefined
  kmsKeyId?: string | undefined
  tags?: boolean | Record<string, string> | undefined
  caFile?: string | undefined
  partSize?: number | undefined
  queue?: number | undefined
  maxParts?: number | undefined
  attempts?: number | undefined
  connectTimeout?: number | undefined
  idleTimeout?: number | undefined
  uploadTimeout?: number | undefined
  name?: string | undefined
}

/** Options with their defaults in place. */
export interface ResolvedS3Options {
  readonly bucket: string
  /** Without slashes at the ends; empty for the whole bucket. */
  readonly prefix: string
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly pathStyle?: boolean | undefined
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: Secret | undefined
  readonly sessionToken?: Secret | undefined
  readonly storageClass?: string | undefined
  readonly sse?: 'AES256' | 'aws:kms' | undefined
  readonly kmsKeyId?: string | undefined
  readonly tags: boolean | Record<string, string>
  readonly caFile?: string | undefined
  readonly partSize: number
  readonly queue: number
  readonly maxParts: number
  readonly attempts: number
  readonly connectTimeout: number
  readonly idleTimeout: number
  readonly uploadTimeout?: number | undefined
  readonly name?: string | undefined
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {BackupError} `storage-config-invalid`, naming every option that is wrong.
 */
export function resolveS3Options(options: S3Options): ResolvedS3Options {
  const result = s3OptionsSchema.safeParse(options)
  if (result.success) return result.data
  throw new BackupError('storage-config-invalid', {
    message: `The options of the S3 storage cannot be used: ${describeOptionProblems(result.error, options, s3OptionsSchema)}`,
    hint: 'Correct them in the configuration, the URL or the S3_ variables.',
  })
}

function hasUserInfo(endpoint: string): boolean {
  const { username, password } = new URL(endpoint)
  return username !== '' || password !== ''
}
