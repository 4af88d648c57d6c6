import type { Driver } from '@holdfast/core'
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
  const settings = parseOptions(postgresOptions, options)
  return bind({ settings, connection: connectionFrom(settings) })
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
    scratch: (ctx) => scratch(bound, bind, ctx),
  }
}
