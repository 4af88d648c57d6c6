import type { BackupRecord, StoredBackups } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import type { Paint } from '../output/colours.js'
import { describeCopies } from '../output/copies.js'
import { errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge } from '../output/format-duration.js'
import { type Column, table } from '../output/table.js'
import { visibleBackup } from '../output/visible.js'

/** Options of `holdfast list` and `holdfast show`. */
export type ListCommandOptions = FromOptions

/** Lists what the storages hold, and what is wrong with it. */
export async function listCommand(cli: Cli, args: readonly string[], options: ListCommandOptions): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const [job] = args
  const stored = await holdfast.list({ signal, ...(job !== undefined && { job }) })
  output.document(listDocument(stored))
  if (stored.backups.length > 0) output.result(listTable(stored.backups.map(visibleBackup), cli))
  else output.note(nothingFound(job, holdfast.storages))
  reportProblems(stored, cli)
  return stored.unreachable.length > 0 ? exitCodes.partial : exitCodes.done
}

/** Says what could not be read, on standard error. */
export function reportProblems({ damaged, unreachable }: StoredBackups, { output }: Cli): void {
  for (const { storage, problem } of damaged) output.warn(`${problem} (on ${storage}); it counts as no backup`)
  for (const { storage, error } of unreachable) {
    const { message, hint } = errorDocument(error).error
    output.warn(
      `Storage ${storage} cannot be read, so what only it holds is not shown: ${message}${hint ? `\n  ${hint}` : ''}`,
    )
  }
}

function listDocument({ backups, damaged, unreachable }: StoredBackups): object {
  return {
    backups: backups.map(backupDocument),
    damaged,
    unreachable: unreachable.map(({ storage, error }) => ({ storage, ...errorDocument(error) })),
  }
}

function listTable(backups: readonly BackupRecord[], { output }: Cli): string {
  const { paint } = output
  const now = new Date()
  const columns: Column<BackupRecord>[] = [
    { title: 'ID', cell: ({ shortId }) => shortId },
    { title: 'JOB', cell: ({ job }) => job, shrinks: true },
    { title: 'DATABASE', cell: ({ database }) => database, shrinks: true },
    { title: 'AGE', cell: ({ startedAt }) => formatAge(startedAt, now), align: 'right' },
    { title: 'SIZE', cell: ({ storedBytes }) => formatBytes(storedBytes), align: 'right' },
    { title: 'RATIO', cell: ratioOf, align: 'right' },
    { title: 'COPIES', cell: ({ copies }) => describeCopies(copies, paint), shrinks: true },
    { title: 'VERIFIED', cell: (backup) => verifiedOf(backup, now, paint) },
    { title: 'LABEL', cell: ({ label }) => label ?? '', shrinks: true },
  ]
  const shown = columns.filter(({ title }) => title !== 'LABEL' || backups.some(({ label }) => label !== undefined))
  return table(shown, backups, output.width, paint.faint)
}

/** When some copy was last found intact; a copy that was found damaged counts for more. */
function verifiedOf({ verifiedAt, copies }: BackupRecord, now: Date, paint: Paint): string {
  const damaged = copies.filter(({ status }) => status === 'corrupt')
  const known = damaged.flatMap((copy) => (copy.verifiedAt ? [copy.verifiedAt] : []))
  const latest = known.sort((a, b) => b.getTime() - a.getTime())[0]
  if (damaged.length > 0) return paint.bad(latest ? `DAMAGED, ${formatAge(latest, now)}` : 'DAMAGED')
  return verifiedAt ? formatAge(verifiedAt, now) : paint.faint('never')
}

/** How many times smaller the backup is than the dump, where both are known. */
function ratioOf({ plainBytes, storedBytes }: BackupRecord): string {
  return plainBytes === undefined || storedBytes === 0 ? '–' : `${(plainBytes / storedBytes).toFixed(1)} ×`
}

function nothingFound(job: string | undefined, storages: readonly string[]): string {
  return `There are no backups${job === undefined ? '' : ` of ${job}`} on ${storages.join(', ')}.`
}
