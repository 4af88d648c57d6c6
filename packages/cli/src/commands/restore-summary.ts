import {
  BackupError,
  type BackupRecord,
  createRunContext,
  type DatabaseInfo,
  type Driver,
  type RestoreMode,
} from '@holdfast/core'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge, formatTime } from '../output/format-duration.js'
import type { Output } from '../output/output.js'
import type { RestoreCommandOptions } from './restore-options.js'

/** The database to restore into, as it is now. */
export interface Target {
  readonly driver: Driver
  readonly exists: boolean
  readonly database: DatabaseInfo | undefined
}

export async function probeTarget(driver: Driver, signal: AbortSignal): Promise<Target> {
  const { database } = await driver.probe(createRunContext({ signal }))
  return { driver, database, exists: database !== undefined }
}

/**
 * The mode that was asked for, or `create` where there is nothing to lose.
 *
 * @throws {BackupError} `target-not-empty` where there is.
 */
export function requireMode(asked: RestoreMode | undefined, { driver, database }: Target): RestoreMode {
  if (asked !== undefined && (asked !== 'create' || !database || database.empty)) return asked
  if (!database || database.empty) return 'create'
  throw new BackupError('target-not-empty', {
    message: `${driver.display} holds ${contentsOf(database)}`,
    hint: 'Nothing was touched. Say what to do with it: --drop (restore aside, then take its place), --clean (drop and make again what the backup holds) or --append; or name another database.',
  })
}

/** What will be restored, where to, and what is lost. */
export function describeRestore(
  backup: BackupRecord,
  { driver, database }: Target,
  mode: RestoreMode,
  options: RestoreCommandOptions,
  { errorPaint: paint }: Output,
): string {
  const age = `${formatTime(backup.startedAt)}, ${formatAge(backup.startedAt, new Date())}`
  const now = database
    ? database.empty
      ? 'exists, and is empty'
      : `exists, and holds ${contentsOf(database)}`
    : 'is made new'
  const copies = backup.copies.filter(({ status }) => status === 'complete').map(({ storage }) => storage)
  const lines: [string, string][] = [
    [
      'Backup',
      `${paint.strong(backup.shortId)} of ${backup.job}: database ${backup.database}, ${formatBytes(backup.storedBytes)}`,
    ],
    ['Taken', age],
    ['From', copies.length > 0 ? copies.join(', ') : paint.bad('no copy that is whole')],
    ['Into', `${paint.strong(driver.display)}, which ${now}`],
    ['What', whatOf(options)],
    ['Loses', lossOf(mode, database, options, paint.warning)],
  ]
  if (database && database.connections > 0) {
    const end = options.terminate ? 'they will be ended' : 'in their way a restore is refused; --terminate ends them'
    lines.push(['In use', `${count(database.connections, 'other connection')}: ${end}`])
  }
  return lines.map(([name, text]) => `${paint.faint(name.padEnd(7))} ${text}`).join('\n')
}

function whatOf({ tables, schemaOnly, dataOnly, globals }: RestoreCommandOptions): string {
  const sections = schemaOnly ? 'schema without rows' : dataOnly ? 'rows alone' : 'everything'
  const of = tables ? ` of ${tables.join(', ')}` : ''
  return `${sections}${of}${globals ? ', and roles of the server' : ''}`
}

function lossOf(
  mode: RestoreMode,
  database: DatabaseInfo | undefined,
  { tables }: RestoreCommandOptions,
  warn: (text: string) => string,
): string {
  if (!database || database.empty) return 'nothing'
  if (mode === 'replace') return warn(`all that the database holds now (${contentsOf(database)})`)
  if (mode === 'clean') {
    return warn(
      tables ? `what ${tables.join(', ')} hold now` : 'what the database holds now of all that the backup holds',
    )
  }
  return 'nothing; rows are added to what is there'
}

function contentsOf({ tables, sizeBytes }: DatabaseInfo): string {
  return `${count(tables, 'table')}, ${formatBytes(sizeBytes)}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
