import { basename, resolve } from 'node:path'
import { BackupError, type Driver, withoutDatabase } from '@holdfast/core'
import { asides } from './asides.js'
import type { BoundDatabase } from './bound-database.js'
import { checkBody, contents, rows, sections } from './content.js'
import { dump } from './dump.js'
import { parseOptions, type SqliteOptions } from './options.js'
import { findings } from './preflight.js'
import { probe } from './probe.js'
import { restore } from './restore.js'
import { runTask } from './run-task.js'
import { scratch } from './scratch.js'

/**
 * A SQLite database file, copied with SQLite's online backup while its application writes, and restored through
 * SQLite's locks while others have it open.
 *
 * @throws {BackupError} `config-invalid` for options that cannot be used.
 * @example
 * ```ts
 * import { sqlite } from '@holdfast/driver-sqlite'
 *
 * const app = sqlite({ path: './app.db' })
 * ```
 */
export function sqlite(options: SqliteOptions): Driver {
  if (options.path === undefined) return withoutDatabase(noPath(), sqlite({ ...options, path: 'none' }))
  const { path, tempDir, busyTimeout } = parseOptions(options)
  return bind({ path: resolve(path), tempDir, patienceMs: busyTimeout ?? 10_000 })
}

function bind(bound: BoundDatabase): Driver {
  const { path } = bound
  return {
    engine: 'sqlite',
    formats: [],
    display: `sqlite:${path}`,
    database: basename(path),
    probe: (ctx) => probe(path, ctx),
    dump: (request, ctx) => dump(bound, request, ctx),
    restore: (from, request, ctx) => restore(bound, from, request, ctx),
    preflight: (from, request, ctx) => findings(bound, from, request, ctx),
    check: (_part, body) => checkBody(body),
    contents,
    sections: (_part, body, ctx) => sections(body, ctx),
    rows: (_part, body, section, ctx) => rows(body, section, ctx),
    scratch: (options, ctx) => scratch(bound, bind, options, ctx),
    asides: (ctx) => asides(bound, ctx),
    query: (statement, ctx) => runTask('query', [path, statement], ctx),
  }
}

/** A variable that is not set on this host; what needs no database works all the same. */
function noPath(): BackupError {
  return new BackupError('config-invalid', {
    message: 'The path of the SQLite database is not given',
    hint: "Set path, for example { path: './app.db' }. Is the environment variable set from which it is read?",
  })
}
