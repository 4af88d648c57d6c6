import { type Duration, durationValue, type Secret, secretValue } from '@holdfast/core'
import * as z from 'zod'

type SecretInput = z.input<typeof secretValue>
/** How far to insist on TLS, as libpq's `sslmode`. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

interface Options<SecretType, Span> {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`; several hosts and libpq's parameters as there. */
  readonly url?: SecretType | undefined
  /** Host name, address, or directory of the unix socket. Single options win over the URL. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  readonly password?: SecretType | undefined
  readonly database?: string | undefined
  readonly sslmode?: SslMode | undefined
  readonly sslrootcert?: string | undefined
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
  /** Section of the service file. */
  readonly service?: string | undefined
  /** Where databases are made, renamed and dropped from. Default `postgres`, else `template1`. */
  readonly maintenanceDatabase?: string | undefined
  /** Directory of the client programs, instead of searching. */
  readonly binDir?: string | undefined
  /** Default `custom`. */
  readonly format?: 'custom' | 'plain' | undefined
  /** Dump roles and tablespaces as a part of their own. Default `false`. */
  readonly globals?: boolean | undefined
  /** Only these schemas, in pg_dump's pattern language. */
  readonly schemas?: readonly string[] | undefined
  readonly excludeSchemas?: readonly string[] | undefined
  readonly noOwner?: boolean | undefined
  readonly noPrivileges?: boolean | undefined
  /** Default: as pg_dump, which includes them in whole dumps. */
  readonly largeObjects?: boolean | undefined
  /** Plain dumps: DROP before CREATE. */
  readonly clean?: boolean | undefined
  readonly ifExists?: boolean | undefined
  /** Plain dumps: CREATE DATABASE and connect to it. Such a dump is for `psql` by hand, not for `restore`. */
  readonly create?: boolean | undefined
  readonly nice?: number | undefined
  /** Dumps: without a byte moved. Default 30 minutes. A restore waits for the server as long as it takes. */
  readonly idleTimeout?: Span | undefined
  /** Default: none. */
  readonly totalTimeout?: Span | undefined
  /** Waiting for a table's lock. Default 60 seconds. */
  readonly lockTimeout?: Span | undefined
  /** Default 15 seconds. */
  readonly connectTimeout?: Span | undefined
}

/** Options of the PostgreSQL driver, as a user may write them. Time spans are milliseconds or text such as `30s`. */
export type PostgresOptions = Options<SecretInput, Duration>

/** The same as read: secrets wrapped, time spans in milliseconds. */
export type PostgresSettings = Options<Secret, number>

const names = z.array(z.string().min(1))

/** Checks and reads {@link PostgresOptions}. Forms and documentation are made from it. */
export const postgresOptions: z.ZodType<PostgresSettings, PostgresOptions> = z.strictObject({
  url: secretValue
    .optional()
    .describe('Connection URL, for example postgres://user:password@host:5432/database?sslmode=verify-full'),
  host: z.string().min(1).optional().describe('Host name, address, or directory of the unix socket'),
  port: z.int().min(1).max(65_535).optional().describe('Port (5432)'),
  user: z.string().min(1).optional().describe('Role to connect as (the name of the operating system user)'),
  password: secretValue.optional().describe('Password; without one, PGPASSWORD, the passfile or a certificate'),
  database: z.string().min(1).optional().describe('Database (the name of the role)'),
  sslmode: z
    .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
    .optional()
    .describe('How far to insist on TLS (prefer)'),
  sslrootcert: z.string().min(1).optional().describe('File of the certificate authorities, or system'),
  sslcert: z.string().min(1).optional().describe('File of the client certificate'),
  sslkey: z.string().min(1).optional().describe('File of the key of the client certificate'),
  service: z.string().min(1).optional().describe('Section of the service file (pg_service.conf) with further settings'),
  maintenanceDatabase: z
    .string()
    .min(1)
    .optional()
    .describe('Database to connect to where databases are made, renamed and dropped (postgres, else template1)'),
  binDir: z.string().min(1).optional().describe('Directory of pg_dump, pg_restore and psql, instead of searching'),
  format: z.enum(['custom', 'plain']).optional().describe('Format of dumps (custom)'),
  globals: z.boolean().optional().describe('Dump roles and tablespaces of the server as a part of their own (false)'),
  schemas: names.optional().describe('Only these schemas (patterns)'),
  excludeSchemas: names.optional().describe('Not these schemas (patterns)'),
  noOwner: z.boolean().optional().describe('Leave owners out of the dump (false)'),
  noPrivileges: z.boolean().optional().describe('Leave grants out of the dump (false)'),
  largeObjects: z.boolean().optional().describe('Include or leave out large objects (included in whole dumps)'),
  clean: z.boolean().optional().describe('Plain dumps: drop objects before they are made (false)'),
  ifExists: z.boolean().optional().describe('Plain dumps with clean: DROP … IF EXISTS (false)'),
  create: z.boolean().optional().describe('Plain dumps: begin with CREATE DATABASE and connect to it (false)'),
  nice: z.int().min(-20).max(19).optional().describe('Scheduling priority of the client programs, 19 is the lowest'),
  idleTimeout: durationValue.optional().describe('Give up a dump when its program moves no byte for so long (30m)'),
  totalTimeout: durationValue.optional().describe('Give up when a program takes longer than this (no limit)'),
  lockTimeout: durationValue
    .optional()
    .describe('Give up when a table stays locked by others for so long: in dumps, and in restores in place (60s)'),
  connectTimeout: durationValue.optional().describe('Give up when the server does not answer for so long (15s)'),
})
