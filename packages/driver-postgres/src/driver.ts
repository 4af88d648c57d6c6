import type { Driver } from '@holdfast/core'
import { connectionFrom, displayOf } from './connection.js'
import { dump } from './dump.js'
import { type PostgresOptions, postgresOptions } from './options.js'
import { parseOptions } from './plugin-options.js'
import { probe } from './probe.js'

export function postgres(options: PostgresOptions): Driver {
  const settings = parseOptions(postgresOptions, options)
  const connection = connectionFrom(settings)
  return {
    engine: 'postgres',
    display: displayOf(connection),
    database: connection.database,
    probe: (ctx) => probe(connection, settings.maintenanceDatabase, ctx),
    dump: (request, ctx) => dump(connection, settings, request, ctx),
    restore: () => Promise.reject(new Error()),
  }
}
