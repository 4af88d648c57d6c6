import * as z from 'zod'
import { BackupError, messageOf } from '../backup-error.js'
import type { Catalog } from '../catalog/catalog.js'
import type { Cipher } from '../cipher/cipher.js'
import type { Codec } from '../codec/codec.js'
import { codecById } from '../codec/codec-by-id.js'
import { parseCompression } from '../codec/parse-compression.js'
import type { Driver, InventoryLevel, Sections } from '../driver/driver.js'
import { durationValue } from '../duration.js'
import type { VerifySettings } from '../engine/proof/verify-settings.js'
import { optionProblems } from '../option-problems.js'
import type { RetentionStrategy } from '../retention/retention-strategy.js'
import type { Clock, Logger } from '../run-context.js'
import { settingNames } from '../setting-names.js'
import type { Storage } from '../storage/storage.js'
import { verifyValue } from '../verify-config.js'

/** A job with its defaults. Storages may be names still. */
export interface CheckedJob {
  readonly source: Driver
  readonly storages: readonly (string | Storage)[]
  readonly compress: Codec
  readonly encrypt?: Cipher | undefined
  readonly minCopies: number
  readonly dump: {
    readonly sections?: Sections | undefined
    readonly tables?: readonly string[] | undefined
    readonly excludeTables?: readonly string[] | undefined
    readonly format?: string | undefined
  }
  readonly inventory: InventoryLevel
  readonly onWarning: 'complete' | 'fail'
  /** Milliseconds. */
  readonly stallTimeout: number
  readonly verify?: VerifySettings | undefined
  readonly retention?: RetentionStrategy | Readonly<Record<string, RetentionStrategy>> | undefined
  readonly minKeep: number
}

/**
 * Checks a configuration, each setting by itself.
 *
 * @returns Its jobs, by name.
 * @throws {BackupError} `config-invalid`, naming the path, the value and the fix of each problem.
 */
export function checkConfig(config: unknown): Readonly<Record<string, CheckedJob>> {
  const parsed = configSchema.safeParse(config)
  if (!parsed.success)
    throw invalidConfig(optionProblems(parsed.error, config, (path) => settingNames(configSchema, path)))
  return parsed.data.jobs
}

/** @param problems - Each with the path of its setting. */
export function invalidConfig(problems: readonly string[]): BackupError {
  return new BackupError('config-invalid', { message: `The configuration is not valid: ${problems.join('; ')}` })
}

const driverValue = z.custom<Driver>((value) => hasMethods(value, ['probe', 'dump', 'restore']), {
  error: 'must be a driver, for example postgres({ url })',
})
const storageValue = z.custom<Storage>((value) => hasMethods(value, ['put', 'get', 'stat', 'list', 'delete']), {
  error: 'must be a storage, for example local({ path })',
})
const codecValue = z.custom<Codec>(
  (value) => hasMethods(value, ['compress', 'decompress']) && isReadable(value as Codec),
  {
    error: 'must be zstd, gzip or none: a backup in another codec could not be read again',
  },
)
const cipherValue = z.custom<Cipher>((value) => hasMethods(value, ['encrypt', 'decrypt']), {
  error: "must be a cipher, for example age({ recipients: ['age1…'] })",
})
const encryptValue = cipherValue.refine((cipher) => cipher.keyIds.length > 0, {
  error: 'has nobody to encrypt for: add recipients, or a passphrase',
})

const strategyValue = z.custom<RetentionStrategy>((value) => hasMethods(value, ['decide']), {
  error: 'must be a retention, for example keep({ daily: 7 })',
})

const dumpSchema = z.strictObject({
  sections: z.enum(['all', 'schema', 'data']).optional(),
  tables: z.array(z.string()).min(1).optional(),
  excludeTables: z.array(z.string()).optional(),
  format: z.string().optional(),
})

const jobSchema = z.strictObject({
  source: driverValue,
  storages: z
    .array(
      z.union([z.string(), storageValue], {
        error: 'must be the name of a storage, or a storage such as local({ path })',
      }),
    )
    .min(1, 'must name at least one storage'),
  compress: z.union([z.string().transform(compression), codecValue]).default(() => parseCompression('zstd')),
  encrypt: encryptValue.optional(),
  minCopies: z.number().int().min(1).default(1),
  dump: dumpSchema.default({}),
  inventory: z.enum(['none', 'counts', 'checksums']).default('counts'),
  onWarning: z.enum(['complete', 'fail']).default('complete'),
  stallTimeout: durationValue.default(300_000),
  verify: verifyValue.optional(),
  retention: z
    .union([strategyValue, z.record(z.string(), strategyValue)], {
      error: 'must be a retention, for example keep({ daily: 7 }), or one for each storage by its name',
    })
    .optional(),
  minKeep: z.number().int().min(1).default(1),
})

const configSchema = z.strictObject({
  storages: z.record(z.string(), storageValue).optional(),
  jobs: z.record(z.string().min(1), jobSchema),
  ciphers: z.array(cipherValue).optional(),
  catalog: z.custom<Catalog>((value) => hasMethods(value, ['begin', 'finish'])).optional(),
  logger: z.custom<Logger>((value) => hasMethods(value, ['info', 'warn', 'error'])).optional(),
  clock: z.custom<Clock>((value) => hasMethods(value, ['now', 'sleep'])).optional(),
})

function compression(value: string, context: z.RefinementCtx): Codec {
  try {
    return parseCompression(value)
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
}

function isReadable({ id }: Codec): boolean {
  try {
    return codecById(id).id === id
  } catch {
    return false
  }
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
