import { type Duration, durationValue, type Secret, secretValue } from '@holdfast/core'
import * as z from 'zod'

type SecretInput = z.input<typeof secretValue>
/** How far to insist on TLS. */
export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-identity'

interface Options<SecretType, Span> {
  /** `mysql://user:password@host:3306/database?sslmode=require`; `mariadb://` is the same. */
  readonly url?: SecretType | undefined
  /** Host name or address. Single options win over the URL. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Path of the unix socket, instead of host and port. */
  readonly socket?: string | undefined
  readonly user?: string | undefined
  readonly password?: SecretType | undefined
  readonly database?: string | undefined
  readonly sslmode?: SslMode | undefined
  readonly sslca?: string | undefined
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
  /** Directory of the client programs, instead of searching. */
  readonly binDir?: string | undefined
  /** Lock the tables while they are dumped, instead of one transaction. For tables without transactions. */
  readonly lockTables?: boolean | undefined
  readonly routines?: boolean | undefined
  readonly events?: boolean | undefined
  readonly triggers?: boolean | undefined
  /** Rows that system-versioned tables keep of the past. Default: where server and program can. */
  readonly history?: boolean | undefined
  /** A brief global read lock makes the inventory exact. Default: where the user may. */
  readonly globalReadLock?: boolean | undefined
  /** Restores: whom views, triggers, routines and events belong to. `invoker`: the connecting user. Default `keep`. */
  readonly definer?: 'keep' | 'invoker' | undefined
  readonly nice?: number | undefined
  readonly idleTimeout?: Span | undefined
  readonly totalTimeout?: Span | undefined
  readonly lockTimeout?: Span | undefined
  readonly connectTimeout?: Span | undefined
}

/** Options of the MySQL and MariaDB driver, as a user may write them. Time spans are milliseconds or text such as `30s`. */
export type MysqlOptions = Options<SecretInput, Duration>

/** The same as read: secrets wrapped, time spans in milliseconds. */
export type MysqlSettings = Options<Secret, number>

const text = z.string().min(1).optional()

/** Checks and reads {@link MysqlOptions}. Forms and documentation are made from it. */
export const mysqlOptions: z.ZodType<MysqlSettings, MysqlOptions> = z.strictObject({
  url: secretValue.optional().describe('Connection URL, for example mysql://user:password@host:3306/database'),
  host: text.describe('Host name or address (localhost)'),
  port: z.int().min(1).max(65_535).optional().describe('Port (3306)'),
  socket: text.describe('Path of the unix socket, instead of host and port'),
  user: text.describe('User to connect as (the name of the operating system user)'),
  password: secretValue.optional().describe('Password; without one, MYSQL_PWD'),
  database: text.describe('Database'),
  sslmode: z
    .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-identity'])
    .optional()
    .describe('How far to insist on TLS (prefer)'),
  sslca: text.describe('File of the certificate authorities'),
  sslcert: text.describe('File of the client certificate'),
  sslkey: text.describe('File of the key of the client certificate'),
  binDir: text.describe('Directory of the client programs, instead of searching'),
  lockTables: z.boolean().optional().describe('Lock tables while they are dumped, instead of one transaction (false)'),
  routines: z.boolean().optional().describe('Dump procedures and functions (true)'),
  events: z.boolean().optional().describe('Dump events (true)'),
  triggers: z.boolean().optional().describe('Dump triggers (true)'),
  history: z.boolean().optional().describe('Dump the past of system-versioned tables (where server and program can)'),
  globalReadLock: z
    .boolean()
    .optional()
    .describe('Take a global read lock for a moment, so that the inventory is exact (where the user may)'),
  definer: z
    .enum(['keep', 'invoker'])
    .optional()
    .describe('Restores: definers of views, triggers, routines and events as they were, or the connecting user (keep)'),
  nice: z.int().min(-20).max(19).optional().describe('Scheduling priority of the client programs, 19 is the lowest'),
  idleTimeout: durationValue.optional().describe('Give up a dump when its program moves no byte for so long (30m)'),
  totalTimeout: durationValue.optional().describe('Give up when a program takes longer than this (no limit)'),
  lockTimeout: durationValue.optional().describe('Give up when a table stays locked by others for so long (60s)'),
  connectTimeout: durationValue.optional().describe('Give up when the server does not answer for so long (15s)'),
})
