import {
  BackupError,
  type BackupRecord,
  type CopyVerification,
  type Driver,
  type Holdfast,
  messageOf,
  type VerifyResult,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { driverOfEngine } from '../configuration/source-from-text.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { asBackupError, errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { createProgress } from '../output/progress.js'
import { visibleBackup } from '../output/visible.js'
import { reportProblems } from './list.js'

/** Options of `holdfast verify`. */
export type VerifyCommandOptions = FromOptions

/** Re-reads every copy of the backups that were named, and says which are damaged. */
export async function verifyCommand(
  cli: Cli,
  args: readonly string[],
  options: VerifyCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const stored = await holdfast.list({ signal })
  reportProblems(stored, cli)
  const backups = await choose(args[0], stored.backups, holdfast, signal)
  const results: VerifyResult[] = []
  for (const backup of backups) {
    const driver = opened.engines.includes(backup.engine) ? undefined : await driverOfEngine(backup.engine)
    results.push(await verify(backup, driver, holdfast, cli))
  }
  const count = (status: VerifyResult['status']): number => results.filter((each) => each.status === status).length
  const unread = count('unreadable') + stored.unreachable.length
  const status =
    count('corrupt') + stored.damaged.length > 0 ? 'corrupt' : count('unreadable') > 0 ? 'unreadable' : 'intact'
  output.document({ status, backups: results.map(toDocument), damaged: stored.damaged })
  if (results.length > 1) output.result(`${count('intact')} of ${results.length} backups are intact`)
  if (status === 'corrupt') return exitCodes.damaged
  return unread > 0 ? exitCodes.partial : exitCodes.done
}

/** All, all of a job, or the one that a selector means. */
async function choose(
  selector: string | undefined,
  backups: readonly BackupRecord[],
  holdfast: Holdfast,
  signal: AbortSignal,
): Promise<readonly BackupRecord[]> {
  const chosen = selector === undefined ? backups : backups.filter(({ job }) => job === selector)
  if (chosen.length > 0) return chosen
  if (selector !== undefined) return [await holdfast.show(selector, { signal })]
  throw new BackupError('no-match', {
    message: `There are no backups on ${holdfast.storages.join(', ')}`,
    hint: 'Say where they are with --from.',
  })
}

async function verify(
  backup: BackupRecord,
  driver: Driver | undefined,
  holdfast: Holdfast,
  cli: Cli,
): Promise<VerifyResult> {
  const { output, signal } = cli
  using progress = createProgress(backup.shortId, cli.world, output, cli.options)
  const options = { signal, onProgress: progress.report, ...(driver && { driver }) }
  const result = await holdfast.verify(backup.id, options).catch((error: unknown) => unreadable(backup, error, signal))
  progress[Symbol.dispose]()
  output.result(describe({ ...result, backup: visibleBackup(result.backup) }, cli))
  return result
}

/** What keeps one backup from being read must not keep the next from being verified. */
function unreadable(backup: BackupRecord, error: unknown, signal: AbortSignal): VerifyResult {
  signal.throwIfAborted()
  if (!asBackupError(error)) throw error
  const copies = backup.copies.map(({ storage }) => {
    return { storage, status: 'unreadable' as const, problem: messageOf(error), error }
  })
  return { backup, status: 'unreadable', copies }
}

function describe({ backup, status, copies }: VerifyResult, { output }: Cli): string {
  const { paint } = output
  const state = {
    intact: paint.good('intact'),
    unreadable: paint.warning('not readable everywhere'),
    corrupt: paint.bad('DAMAGED'),
  }[status]
  const width = Math.max(0, ...copies.map(({ storage }) => storage.length))
  return [
    `Backup ${paint.strong(backup.shortId)} of ${backup.job} is ${state} (${formatBytes(backup.storedBytes)})`,
    ...copies.map(({ storage, status: copy, problem = 'no reason was given' }) => {
      const found = {
        intact: paint.good('intact'),
        unreadable: `${paint.warning('unreadable')}: ${problem}`,
        corrupt: `${paint.bad('damaged')}: ${problem}`,
      }[copy]
      return `  ${storage.padEnd(width)}  ${found}`
    }),
  ].join('\n')
}

function toDocument({ backup, status, copies }: VerifyResult): object {
  const { id, shortId, name, job } = backup
  return { id, shortId, name, job, status, copies: copies.map(copyDocument) }
}

/** An error is told by its message and its code. */
function copyDocument(copy: CopyVerification): object {
  if (copy.status !== 'unreadable') return copy
  const { error, ...rest } = copy
  return { ...rest, ...errorDocument(error) }
}
