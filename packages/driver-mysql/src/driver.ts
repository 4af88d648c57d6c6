import { BackupError, type Driver, describeOptionProblems, missingSetting, withoutDatabase } from '@holdfast/core'
import { asides } from './asides.js'
import type { BoundDatabase } from './bound-database.js'
import { clientPrograms } from './client-programs.js'
import { connectionFrom, displayOf } from './connection.js'
import { check, contents } from './contents.js'
import { dump } from './dump.js'
import { type MysqlOptions, type MysqlSettings, mysqlOptions } from './options.js'
import { findings } from './preflight.js'
import { probe } from './probe.js'
import { restore } from './restore.js'
import { scratch } from './scratch.js'
import { rows, sections } from './sections.js'
import { withSession } from './session.js'

/**
 * A MySQL or MariaDB database, dumped and restored with the programs of its server.
 *
 * A url or password that this host cannot read (`{ env }`, `{ file }`, `undefined`) is refused when it is needed.
 *
 * @throws {BackupError} `config-invalid` for options that cannot be used.
 * @example
 * ```ts
 * import { mysql } from '@holdfast/driver-mysql'
 *
 * const shop = mysql({ url: 'mysql://backup@db.example.com/shop?sslmode=verify-identity' })
 * ```
 */
export function mysql(options: MysqlOptions): Driver {
  const missing = missingSetting('MySQL', options)
  if (missing) {
    const { url: _, password: __, ...rest } = options
    return withoutDatabase(missing, mysql(rest))
  }
  const settings = parseOptions(options)
  const connection = connectionFrom(settings)
  return connection.database === ''
    ? withoutDatabase(noDatabase(), bind({ settings, connection }))
    : bind({ settings, connection })
}

function noDatabase(): BackupError {
  return new BackupError('config-invalid', {
    message: 'The MySQL connection names no database',
    hint: 'Write it at the end of the URL: mysql://user@host/database.',
  })
}

function parseOptions(options: MysqlOptions): MysqlSettings {
  const result = mysqlOptions.safeParse(options)
  if (result.success) return result.data
  const problems = describeOptionProblems(result.error, options, mysqlOptions)
  throw new BackupError('config-invalid', { message: `The options of the MySQL driver are wrong: ${problems}` })
}

function bind(bound: BoundDatabase): Driver {
  const { connection } = bound
  return {
    engine: 'mysql',
    formats: ['sql'],
    display: displayOf(connection),
    database: connection.database,
    probe: (ctx) => probe(bound, ctx),
    dump: (request, ctx) => dump(bound, request, ctx),
    restore: (from, request, ctx) => restore(bound, from, request, ctx),
    preflight: (from, request, ctx) => findings(bound, from, request, ctx),
    contents,
    check,
    scratch: (options, ctx) => scratch(bound, options, bind, ctx),
    asides: (ctx) => asides(bound, ctx),
    sections,
    rows,
    query: (statement, ctx) => withSession(connection, ctx, (session) => session.query(statement)),
    programs: (use, ctx) => clientPrograms(bound, use, ctx),
  }
}
