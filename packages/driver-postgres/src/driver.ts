import { type Driver, missingSetting, withoutDatabase } from '@holdfast/core'
import { asides } from './asides.js'
import { clientPrograms } from './client-programs.js'
import { connectionFrom, displayOf } from './connection.js'
import { check, contents } from './contents.js'
import { dump } from './dump.js'
import { findings } from './findings.js'
import { type PostgresOptions, postgresOptions } from './options.js'
import { parseOptions } from './plugin-options.js'
import { probe } from './probe.js'
import { query } from './query.js'
import { restore } from './restore.js'
import type { BoundDatabase } from './restore-job.js'
import { rows } from './rows.js'
import { scratch } from './scratch.js'
import { sections } from './sections.js'
import { isChosen } from './table-selection.js'
import { testScratch } from './test-scratch.js'

/**
 * A PostgreSQL database, dumped and restored with PostgreSQL's own programs.
 *
 * A url or password that this host cannot read (`{ env }`, `{ file }`, `undefined`) is refused when it is needed.
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
  const missing = missingSetting('PostgreSQL', options)
  if (missing) {
    const { url: _, password: __, ...rest } = options
    return withoutDatabase(missing, postgres(rest))
  }
  const settings = parseOptions(postgresOptions, options)
  return bind({ settings, connection: connectionFrom(settings) })
}

function bind(bound: BoundDatabase): Driver {
  const { connection, settings } = bound
  return {
    engine: 'postgres',
    formats: ['custom', 'plain'],
    display: displayOf(connection),
    database: connection.database,
    probe: (ctx) => probe(bound, ctx),
    dump: (request, ctx) => dump(connection, settings, request, ctx),
    restore: (from, request, ctx) => restore(bound, from, request, ctx),
    contents,
    isChosen,
    check: (part, body, ctx) => check(part, body, settings, ctx),
    preflight: (from, request, ctx) => findings(bound, from, request, ctx),
    asides: (ctx) => asides(bound, ctx),
    scratch: (options, ctx) =>
      options.toSwap ? scratch(bound, bind, options, ctx) : testScratch(bound, bind, options.manifest, ctx),
    sections: (part, body, _ctx, options) => sections(part, body, options),
    rows: (part, body, section) => rows(part, body, section),
    query: (statement, ctx) => query(bound, statement, ctx),
    programs: (use, ctx) => clientPrograms(connection, settings, use, ctx),
  }
}
