import type { BackupRecord, DatabaseInfo, Driver, KeptOld, RestorePreview } from '@holdfast/core'
import type { Paint } from '../output/colours.js'
import { counted } from '../output/counted.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge, formatTime } from '../output/format-duration.js'
import type { Output } from '../output/output.js'
import { failureOf } from '../output/test-restore.js'
import { visible, visibleLines } from '../output/visible.js'
import { chosenIn } from './chosen-in.js'
import type { RestoreCommandOptions } from './restore-options.js'

/** What will be restored, where to, and what is lost. */
export function describeRestore(
  preview: RestorePreview,
  driver: Driver,
  options: RestoreCommandOptions,
  { errorPaint: paint }: Output,
): string {
  const { backup, database } = preview
  const age = `${formatTime(backup.startedAt)}, ${formatAge(backup.startedAt, new Date())}`
  const copies = backup.copies.filter(({ status }) => status === 'complete').map(({ storage }) => storage)
  const lines: [string, string][] = [
    [
      'Backup',
      `${paint.strong(backup.shortId)} of ${backup.job}: database ${backup.database}, ${formatBytes(backup.storedBytes)}`,
    ],
    ['Taken', age],
    ['From', copies.length > 0 ? copies.join(', ') : paint.bad('no copy that is whole')],
    ...testedOf(backup, paint),
    ['Into', `${paint.strong(driver.display)}, which ${stateOf(database)}`],
    ['What', whatOf(options, chosenIn(backup))],
    ...howOf(preview, driver, options),
    ...leavesOf(preview, driver, paint),
    ['Loses', lossOf(preview, options, paint.warning)],
  ]
  if (database && database.connections > 0) {
    // Whether they are in the way, the driver says: it is among the problems then.
    const end = options.terminate ? '; --terminate lets the restore end them' : ''
    lines.push(['In use', `${counted(database.connections, 'other connection')}${end}`])
  }
  return lines.map(([name, text]) => `${paint.faint(name.padEnd(7))} ${text}`).join('\n')
}

/** When the backup was last restored for a test, and what that says for or against it. */
function testedOf(backup: BackupRecord, paint: Paint): [string, string][] {
  const { test } = backup
  if (!test) return []
  const age = formatAge(new Date(test.testedAt), new Date())
  const failure = failureOf(backup)
  return [['Tested', failure === undefined ? `proven by a test restore, ${age}` : paint.bad(`${failure}, ${age}`)]]
}

function whatOf({ tables, schemaOnly, dataOnly, globals }: RestoreCommandOptions, chosen: string | undefined): string {
  const sections = schemaOnly ? 'schema without rows' : dataOnly ? 'rows alone' : 'everything'
  const of = tables ? ` of ${tables.join(', ')}` : ''
  const held = chosen === undefined ? '' : ` that the backup holds: ${chosen}`
  return `${sections}${of}${held}${globals ? ', and roles of the server' : ''}`
}

/** A database that changes places with a part of one has only that part afterwards. */
function leavesOf({ backup, mode, database }: RestorePreview, driver: Driver, paint: Paint): [string, string][] {
  if (mode !== 'staged' && mode !== 'replace') return []
  if (!database || database.empty || chosenIn(backup) === undefined) return []
  const text = `nothing but that in ${driver.database}; --clean or --append restore it in place, beside what else is there`
  return [['Leaves', paint.warning(text)]]
}

/** What will be done, step by step, where it is more than one. */
function howOf({ mode, database }: RestorePreview, driver: Driver, options: RestoreCommandOptions): [string, string][] {
  const first = options.safetyBackup && database && !database.empty ? ['back up what is there'] : []
  if (mode !== 'staged' && mode !== 'replace') return first.length > 0 ? [['First', first.join()]] : []
  const checks = options.assert ? [`check ${counted(options.assert.length, 'assertion')}`] : []
  const keep = options.keepOld || '24h'
  const last =
    mode === 'replace' ? 'drop the old one' : `keep the old one as ${driver.database}__before_<time> for ${keep}`
  const steps = [...first, `restore into a database beside ${driver.database}`, ...checks, 'change places', last]
  return [['How', steps.join(', then ')]]
}

/** What a staged restore has put aside, and the commands that take it back or drop it. */
export function describeOld(
  { name, keepUntil, isNoted }: KeptOld,
  job: string | undefined,
  { into = job, intoFile, keepOld }: RestoreCommandOptions,
  paint: Paint,
): readonly string[] {
  const where = intoFile === undefined ? `--into ${into}` : `--into-file ${intoFile}`
  const time = isNoted ? '' : ` --keep-old ${keepOld}`
  return [
    `  the old database is ${paint.strong(name)}, to be kept until ${formatTime(keepUntil)}`,
    `  to go back:  holdfast restore undo ${where}`,
    `  to drop it:  holdfast restore cleanup ${where}${time}  (when its time is over; nothing drops it by itself)`,
  ]
}

/** What was found before a restore, one line each. */
export function describeFindings({ problems, warnings }: RestorePreview, { paint }: Output): string {
  return [
    ...problems.map(
      ({ message, hint }) => `${paint.bad('problem:')} ${visible(message)}${hint ? `\n  ${visibleLines(hint)}` : ''}`,
    ),
    ...warnings.map((warning) => `${paint.warning('warning:')} ${visible(warning)}`),
    ...(problems.length === 0 ? ['Nothing is in the way of this restore; nothing was touched.'] : []),
  ].join('\n')
}

function lossOf(
  { mode, database }: RestorePreview,
  { tables }: RestoreCommandOptions,
  warn: (text: string) => string,
): string {
  if (!database || database.empty) return 'nothing'
  if (mode === 'staged') return `nothing: what the database holds now (${contentsOf(database)}) can be taken back`
  if (mode === 'replace') return warn(`all that the database holds now (${contentsOf(database)})`)
  if (mode === 'clean') {
    return warn(
      tables
        ? `what ${tables.join(', ')} ${tables.length === 1 ? 'holds' : 'hold'} now`
        : 'what the database holds now of all that the backup holds',
    )
  }
  return 'nothing; rows are added to what is there'
}

/** What a target is before the restore. */
export function stateOf(database: DatabaseInfo | undefined): string {
  if (!database) return 'is made new'
  return database.empty ? 'exists, and is empty' : `exists, and holds ${contentsOf(database)}`
}

function contentsOf({ tables, sizeBytes }: DatabaseInfo): string {
  return `${counted(tables, 'table')}, ${formatBytes(sizeBytes)}`
}
