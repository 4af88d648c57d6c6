import { BackupError, type Driver } from '@holdfast/core'
import { connectionFrom, displayOf } from './connection.js'
import { check, contents } from './contents.js'
import { dump } from './dump.js'
import { type PostgresOptions, postgresOptions } from './options.js'
import { parseOptions } from './plugin-options.js'
import { probe } from './probe.js'
import { restore } from './restore.js'
import type { BoundDatabase } from './restore-job.js'
import { scratch } from './scratch.js'

/**
 * A PostgreSQL database, dumped and restored with PostgreSQL's own programs.
 *
 * @throws {BackupError} `config-invalid` for options that cannot be used.
 * @example
 * ```ts
 * import { postgres } from '@holdfast/driver-postgres'
 *
 * const shop = postgres({ url: 'postgres://backup@db.example.com/shop?sslmode=verify-full', globals: true })
 * ```
 */
export function postgres(options: PostgresOptions): Driver {
  if ('url' in options && options.url === undefined) throw noUrl()
  const settings = parseOptions(postgresOptions, options)
  return bind({ settings, connection: connectionFrom(settings) })
}

/** Without this, a variable that is not set would back up whatever answers at the default place. */
function noUrl(): BackupError {
  return new BackupError('config-invalid', {
    message: 'The url of the PostgreSQL driver is given but undefined',
    hint: "Is the environment variable set from which it is read? { env: 'DATABASE_URL' } in its place names it.",
  })
}

function bind(bound: BoundDatabase): Driver {
  const { connection, settings } = bound
  return {
    engine: 'postgres',
    display: displayOf(connection),
    database: connection.database,
    probe: (ctx) => probe(bound, ctx),
    dump: (request, ctx) => dump(connection, settings, request, ctx),
    restore: (from, request, ctx) => restore(bound, from, request, ctx),
    contents,
    check: (part, body, ctx) => check(part, body, settings, ctx),
    scratch: (_options, ctx) => scratch(bound, bind, ctx),
  }
}
