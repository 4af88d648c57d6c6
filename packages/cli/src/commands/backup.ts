import { resolve } from 'node:path'
import type { BackupResult, Holdfast, Storage } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { defaultDirectory } from '../configuration/from-environment.js'
import { openHoldfast } from '../configuration/open-holdfast.js'
import { chooseStorages, readSetup, type Setup } from '../configuration/setup.js'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { codeOf, describeError, type ErrorDocument, errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress, type Progress } from '../output/progress.js'
import { describePruned, pruneDocument } from '../output/prune.js'
import { visible } from '../output/visible.js'
import { type BackupCommandOptions, chooseJobs } from './choose-jobs.js'

type Outcome = { readonly job: string; readonly code: ExitCode; readonly document: object }

/** Backs up jobs, one after the other; one that fails does not keep the next from running. */
export async function backupCommand(
  cli: Cli,
  args: readonly string[],
  options: BackupCommandOptions,
): Promise<ExitCode> {
  const setup = await readSetup(cli, options.to)
  const storages = options.to || setup.file === undefined ? await chooseStorages(options.to, setup, cli) : undefined
  if (storages && !options.to) tellDefault(storages, cli)
  const jobs = await chooseJobs(args, options, storages && Object.keys(storages), setup, cli)
  const all = { ...(await namedStorages(setup)), ...storages }
  await using holdfast = openHoldfast(setup, { storages: all, jobs }, cli)
  const outcomes: Outcome[] = []
  for (const job of Object.keys(jobs)) outcomes.push(await backUp(job, holdfast, options, cli))
  const [only, another] = outcomes
  if (only) cli.output.document(another ? { backups: outcomes.map(({ document }) => document) } : only.document)
  return outcomes.find(({ code }) => code !== exitCodes.done)?.code ?? exitCodes.done
}

/** Somebody who said nothing of a place wants to know where the backup lies. */
function tellDefault(storages: Readonly<Record<string, Storage>>, { world, output }: Cli): void {
  const path = resolve(world.cwd, defaultDirectory)
  if (!Object.values(storages).some(({ display }) => display === path)) return
  output.note(`Backups go to ${path}, the default. --to or BACKUP_DIR name another place.`)
}

async function backUp(job: string, holdfast: Holdfast, options: BackupCommandOptions, cli: Cli): Promise<Outcome> {
  const { output, signal } = cli
  try {
    using progress = createProgress(job, cli.world, output, cli.options)
    if (cli.world.stderr.isTTY && !output.quiet) void expectLastSize(job, holdfast, progress, signal)
    const result = await holdfast.backup(job, {
      signal,
      onProgress: progress.report,
      ...(options.label !== undefined && { label: options.label }),
    })
    progress[Symbol.dispose]()
    output.result(describeResult(result, cli))
    const { backup, ...rest } = result
    const code = result.status === 'partial' ? exitCodes.partial : exitCodes.done
    const pruned = rest.pruned.map(pruneDocument)
    return { job, code, document: { ...rest, pruned, backup: backupDocument(backup) } }
  } catch (error) {
    if (signal.aborted || holdfast.jobs.length === 1) throw error
    output.error(describeError(error, output.errorPaint, output.verbose))
    const document: ErrorDocument & { job: string; status: string } = { job, status: 'failed', ...errorDocument(error) }
    return { job, code: exitCodeFor(cli.command, codeOf(error)), document }
  }
}

/** The compressed size cannot be known beforehand; that of the last backup is near. */
async function expectLastSize(job: string, holdfast: Holdfast, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    const { backups } = await holdfast.list({ job, signal })
    if (backups[0]) progress.expect(backups[0].storedBytes)
  } catch {
    // The run itself tells what is wrong with the storages.
  }
}

function describeResult(
  { status, backup, copies, filled, pruned, warnings, durationMs }: BackupResult,
  { output }: Cli,
): string {
  const { paint } = output
  const plain = backup.plainBytes === undefined ? '' : ` (${formatBytes(backup.plainBytes)} before compression)`
  const state = {
    complete: paint.good('complete'),
    complete_with_warnings: paint.warning('complete, with warnings'),
    partial: paint.warning('partial'),
  }[status]
  const width = Math.max(...copies.map(({ storage }) => storage.length))
  return [
    `Backup ${paint.strong(backup.shortId)} of ${backup.job} is ${state}: ${formatBytes(backup.storedBytes)}${plain} in ${formatDuration(durationMs)}`,
    ...copies.map(({ storage, status: copy, error }) =>
      copy === 'complete'
        ? `  ${storage.padEnd(width)}  ${paint.good('complete')}`
        : `  ${storage.padEnd(width)}  ${paint.bad('failed')}: ${error ?? 'no reason was given'}`,
    ),
    ...filled.map(({ base, from, to }) => `  ${to}: filled in ${base.slice(base.lastIndexOf('/') + 1)} from ${from}`),
    ...pruned.flatMap((result) => describePruned(result)),
    ...warnings.map((warning) => `  ${paint.warning('warning:')} ${visible(warning)}`),
  ].join('\n')
}

async function namedStorages(setup: Setup): Promise<Awaited<ReturnType<Setup['storages']>>> {
  return setup.file === undefined ? {} : setup.storages()
}
