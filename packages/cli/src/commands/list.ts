import type { BackupRecord, Holdfast, StoredBackups } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, type OpenedBackups, openBackups } from '../configuration/open-backups.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument, cipherOf } from '../output/backup-document.js'
import { describeCopies } from '../output/copies.js'
import { errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge } from '../output/format-duration.js'
import { describePlaces, lookElsewhere } from '../output/places.js'
import { type Column, table } from '../output/table.js'
import { verifiedCell } from '../output/test-restore.js'
import { visible, visibleBackup } from '../output/visible.js'

/** Options of `holdfast list` and `holdfast show`. */
export type ListCommandOptions = FromOptions

/** Lists what the storages hold, and what is wrong with it. */
export async function listCommand(cli: Cli, args: readonly string[], options: ListCommandOptions): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const [job] = args
  const stored = await holdfast.list({ signal, ...(job !== undefined && { job }) })
  output.document({ backups: stored.backups.map(backupDocument), ...problemsDocument(stored) })
  if (stored.backups.length > 0) output.result(listTable(stored.backups.map(visibleBackup), cli))
  else output.note(`${nothingFound(job, opened.storages)} ${await whatElse(job, holdfast, signal)}`)
  reportProblems(stored, cli)
  return stored.unreachable.length > 0 ? exitCodes.partial : exitCodes.done
}

/** Says what could not be read, on standard error. */
export function reportProblems({ damaged, unreachable }: StoredBackups, { output }: Cli): void {
  for (const { storage, problem } of damaged) output.warn(`${visible(problem)} (on ${storage}); it counts as no backup`)
  for (const { storage, error } of unreachable) {
    const { message, hint } = errorDocument(error).error
    output.warn(
      `Storage ${storage} cannot be read, so what only it holds is not shown: ${message}${hint ? `\n  ${hint}` : ''}`,
    )
  }
}

/** The same for programs. */
export function problemsDocument({ damaged, unreachable }: StoredBackups): object {
  return { damaged, unreachable: unreachable.map(({ storage, error }) => ({ storage, ...errorDocument(error) })) }
}

function listTable(backups: readonly BackupRecord[], { output }: Cli): string {
  const { paint } = output
  const now = new Date()
  const columns: Column<BackupRecord>[] = [
    { title: 'ID', cell: ({ shortId }) => shortId },
    { title: 'JOB', cell: ({ job }) => job, shrinks: true },
    { title: 'DATABASE', cell: ({ database }) => database, shrinks: true },
    { title: 'ENGINE', cell: ({ manifest }) => manifest.engine },
    { title: 'AGE', cell: ({ startedAt }) => formatAge(startedAt, now), align: 'right' },
    { title: 'SIZE', cell: ({ storedBytes }) => formatBytes(storedBytes), align: 'right' },
    { title: 'RATIO', cell: ratioOf, align: 'right' },
    { title: 'CIPHER', cell: ({ manifest }) => cipherOf(manifest)?.id ?? '–' },
    { title: 'COPIES', cell: ({ copies }) => describeCopies(copies, paint), shrinks: true },
    { title: 'VERIFIED', cell: (backup) => verifiedCell(backup, now, paint) },
    { title: 'PINNED', cell: (backup) => (isPinned(backup) ? 'pinned' : '') },
    { title: 'LABEL', cell: ({ label }) => label ?? '', shrinks: true },
  ]
  const isShown: Readonly<Record<string, boolean>> = {
    ENGINE: new Set(backups.map(({ manifest }) => manifest.engine)).size > 1,
    PINNED: backups.some(isPinned),
    LABEL: backups.some(({ label }) => label !== undefined),
    RATIO: backups.some(({ plainBytes }) => plainBytes !== undefined),
    CIPHER: backups.some(({ manifest }) => cipherOf(manifest) !== undefined),
  }
  const shown = columns.filter(({ title }) => isShown[title] ?? true)
  return table(shown, backups, output.width, paint.faint)
}

const isPinned = ({ copies }: BackupRecord): boolean => copies.some((copy) => copy.isPinned)

/** How many times smaller the backup is than the dump, where both are known. */
function ratioOf({ plainBytes, storedBytes }: BackupRecord): string {
  return plainBytes === undefined || storedBytes === 0 ? '–' : `${(plainBytes / storedBytes).toFixed(1)} ×`
}

/** For whom has mistyped a job: those that there are. Else there may be backups in other places. */
async function whatElse(job: string | undefined, holdfast: Holdfast, signal: AbortSignal): Promise<string> {
  const jobs = job === undefined ? [] : (await holdfast.list({ signal })).backups.map((backup) => backup.job)
  if (jobs.length === 0) return lookElsewhere
  return `There are backups of: ${visible([...new Set(jobs)].toSorted().join(', '))}.`
}

function nothingFound(job: string | undefined, storages: OpenedBackups['storages']): string {
  return `There are no backups${job === undefined ? '' : ` of ${job}`} on ${describePlaces(storages)}.`
}
