import { BackupError, type Driver, type RestorePreview, type RestoreWay } from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { urlFrom } from '../configuration/setup.js'
import { binDirOf } from '../configuration/source-from-text.js'
import type { RestoreCommandOptions } from './restore-options.js'

/** The database that `--into` or `--into-file` names; `undefined` without either. */
export async function intoDriver(options: RestoreCommandOptions, cli: Cli): Promise<Driver | undefined> {
  const url = urlFrom({ argument: options.into, file: options.intoFile }, '--into-file', cli)
  if (url === undefined) return undefined
  if (!isSourceUrl(url)) throw noUrl()
  requireDatabaseName(url)
  return askingSource(url, binDirOf(options), cli)
}

function noUrl(): BackupError {
  return new BackupError('config-invalid', {
    message: 'What --into names is no URL of a database',
    hint: 'For example --into postgres://user@host/database, or sqlite:./app.db. Without --into a backup goes into the database of its own job.',
  })
}

export function noTarget(): BackupError {
  return new BackupError('config-invalid', {
    message: 'It is not said into which database to restore',
    hint: 'Add --into postgres://user@host/database; the database is made if it is not there.',
  })
}

/** Clients would take the database that has the user's name: not what somebody means who leaves it out. */
function requireDatabaseName(url: string): void {
  const named = !url.includes('://') || /^[^/]*:\/\/[^/?#]*\/[^?#]/.test(url) || /[?&](?:dbname|service)=[^&]/.test(url)
  if (named) return
  throw new BackupError('config-invalid', {
    message: 'The URL of --into does not say which database',
    hint: 'Nothing was touched. Add the name at its end: postgres://user@host/database; it is made if it is not there.',
  })
}

/** Each is a connection, and a server has a hundred by default: no machine restores faster with more than these. */
const mostJobs = 32

export function cappedJobs(jobs: number, { output }: Cli): number {
  if (jobs > mostJobs)
    output.warn(`--jobs ${jobs} is more than any server gains from; ${mostJobs} connections are used.`)
  return Math.min(jobs, mostJobs)
}

/** Which of the modes the options ask for. */
export function modeOf(options: RestoreCommandOptions): RestoreWay | undefined {
  const { mode, staged, clean, drop, replace, append } = options
  if (staged) return 'staged'
  if (clean) return 'clean'
  if (drop || replace) return 'replace'
  return append ? 'append' : mode
}

/**
 * The database that has to be named before its restore, because that loses what is there and keeps nothing of it.
 *
 * @returns `undefined` where nothing is lost.
 */
export function losing(
  { mode, database }: Pick<RestorePreview, 'mode' | 'database'>,
  target: Driver,
): string | undefined {
  const loses = database !== undefined && !database.empty && (mode === 'replace' || mode === 'clean')
  return loses ? target.database : undefined
}

/**
 * What loses data is confirmed by the name of the database; the rest by `yes`.
 *
 * @param lost - The database, if it loses what it holds; see {@link losing}.
 */
export async function confirmRestore(
  lost: string | undefined,
  { yes }: RestoreCommandOptions,
  cli: Cli,
): Promise<void> {
  if (yes) return
  if (!canAsk(cli.world)) {
    throw new BackupError('config-invalid', {
      message: 'A restore has to be confirmed, and there is no terminal to ask at',
      hint: 'Nothing was touched. Add --yes once you are sure.',
    })
  }
  const expected = lost ?? 'yes'
  const what = lost === undefined ? expected : `the name of the database (${expected})`
  const typed = await ask(`Type ${what} to go on:`, cli.world, cli.signal)
  if (typed === expected || (lost === undefined && typed?.toLowerCase() === 'yes')) return
  throw new BackupError('config-invalid', { message: 'The restore was not confirmed', hint: 'Nothing was touched.' })
}
