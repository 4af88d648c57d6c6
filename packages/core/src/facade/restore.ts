import { BackupError } from '../backup-error.js'
import type { Driver } from '../driver/driver.js'
import { durationMs } from '../duration.js'
import type { BackupRecord } from '../engine/backup-record.js'
import type { Job } from '../engine/job.js'
import {
  lookBefore,
  type PreparedRestore,
  prepareRestore,
  type RestorePlan,
  requireNoProblem,
} from '../engine/prepare-restore.js'
import { doubtOf } from '../engine/proof/doubt.js'
import { copyOn } from '../engine/restore-copy.js'
import { runRestore } from '../engine/run-restore.js'
import { isByAge } from '../engine/select-backup.js'
import type { RunContext } from '../run-context.js'
import { backUp } from './backup.js'
import type { KeptOld, RestoreOptions, RestorePreview, RestoreResult } from './calls.js'
import { onlyJob, type Project } from './project.js'

/** How long a staged restore keeps what was there before. */
const defaultKeepOld = '24h'

/** The same in milliseconds: how old something must be to be cleaned up, where no time was noted with it. */
export const defaultKeepMs: number = durationMs(defaultKeepOld, 'keepOld')

/**
 * How long to keep what was there before.
 *
 * @throws {BackupError} `config-invalid` for a time that cannot be read, and with a mode that keeps nothing.
 */
export function keepMsOf({ keepOld, mode }: Pick<RestoreOptions, 'keepOld' | 'mode'>): number {
  const keepsNone = mode === 'replace' || mode === 'clean' || mode === 'append'
  if (!keepOld || !keepsNone) return durationMs(keepOld || defaultKeepOld, 'keepOld')
  throw new BackupError('config-invalid', {
    message: `What is there now is to be kept for ${keepOld} (keepOld), and a restore with mode ${mode} keeps nothing of it`,
    hint: 'Nothing was touched. Restore with mode staged, or leave keepOld out.',
  })
}

/** {@link Holdfast.restore}. */
export async function restoreBackup(
  project: Project,
  selector: string,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const ctx = project.contextOf(options)
  requireTarget(selector, options, project)
  const { backup, warnings } = await project.search(selector, options, ctx)
  const run = await restorePlan(project, planOf(project, backup, options), options, ctx)
  return { backup, ...run, warnings: [...warnings, ...doubts(project, backup), ...run.warnings] }
}

/** {@link Holdfast.previewRestore}. */
export async function previewRestore(
  project: Project,
  selector: string,
  options: RestoreOptions,
): Promise<RestorePreview> {
  const ctx = project.contextOf(options)
  requireTarget(selector, options, project)
  const { backup, warnings: doubtful } = await project.search(selector, options, ctx)
  const prepared = keeping(await prepareRestore(planOf(project, backup, options), ctx), options)
  if (options.safetyBackup) safetyJob(project, prepared.target)
  const { target, way, database } = prepared
  const { problems, warnings } = await lookBefore(prepared, ctx)
  const found = { problems, warnings: [...doubtful, ...doubts(project, backup), ...warnings] }
  return { backup, target: target.display, mode: way, ...(database && { database }), ...found }
}

/**
 * Into the database of whichever job ran last nobody wants to restore.
 *
 * @throws {BackupError} `no-match` where a backup is named by its age alone, its target not at all, and there are
 *   several jobs.
 */
function requireTarget(selector: string, { into, job }: RestoreOptions, { jobs }: Project): void {
  if (into === undefined && job === undefined && jobs.size > 1 && isByAge(selector)) onlyJob(jobs)
}

/** What is known against a backup does not keep it from being restored: the rest of it may be all there is. */
function doubts({ jobs }: Project, backup: BackupRecord): readonly string[] {
  const isPlain = backup.manifest.parts.some(({ cipher }) => !cipher)
  const exchanged = `Backup ${backup.name} is not encrypted, though its job encrypts: it was taken before the job did, or somebody who can write to the storage has put it there`
  return [doubtOf(backup), isPlain && jobs.get(backup.job)?.cipher ? exchanged : undefined].filter(
    (doubt) => doubt !== undefined,
  )
}

/** Runs a restore, from whatever it is read. */
export async function restorePlan(
  project: Project,
  plan: RestorePlan,
  options: RestoreOptions,
  ctx: RunContext,
): Promise<Omit<RestoreResult, 'backup'>> {
  using _reading = project.inUse.hold(plan.manifest.id)
  const prepared = keeping(await prepareRestore(plan, ctx), options)
  const { target, database, manifest } = prepared
  const saves = options.safetyBackup && safetyJob(project, target)
  // Drivers look for themselves before they touch anything; but this is long before.
  if (saves || prepared.aside || plan.request.tables) requireNoProblem(await lookBefore(prepared, ctx))
  const label = `before the restore of ${manifest.database} of ${manifest.startedAt}`
  const saved =
    saves && database && !database.empty ? await backUp(saves, { ...callOf(options), label }, project) : undefined
  const { oldName, keepUntil, ...run } = await runRestore(prepared, ctx)
  return {
    ...run,
    target: target.display,
    ...(oldName !== undefined && { old: keptOld(oldName, keepUntil, plan, ctx) }),
    ...(saved && { safetyBackup: saved.backup }),
  }
}

function planOf(
  { jobs, layout, holders, cipherFor }: Project,
  backup: BackupRecord,
  options: RestoreOptions,
): RestorePlan {
  const { into, job, storage, signal, onProgress, keepOld, safetyBackup, ...request } = options
  const target = into ?? jobs.get(backup.job)?.source
  if (!target) {
    throw new BackupError('config-invalid', {
      message: `No target was named for ${backup.name}, and no job is called ${JSON.stringify(backup.job)}`,
      hint: 'Say into which database to restore.',
    })
  }
  const { manifest } = backup
  const means = { layout, cipher: cipherFor(backup) }
  const copies = holders(backup).map((from) => copyOn(from, manifest, means))
  return { manifest, copies, target, request, keepMs: keepMsOf(options) }
}

function keeping(prepared: PreparedRestore, { keepOld }: RestoreOptions): PreparedRestore {
  return keepOld === false && prepared.keepsOld ? { ...prepared, way: 'replace', keepsOld: false } : prepared
}

/**
 * The job that backs the target up. Its safety backup is of what somebody wants to be rid of: that must not push out
 * what may yet have to be restored, so retention waits for the next backup.
 *
 * @throws {BackupError} `config-invalid` when no job backs the target up, and all of it.
 */
function safetyJob({ jobs }: Project, target: Driver): Job {
  const isTarget = (source: Driver): boolean =>
    source === target || (source.engine === target.engine && source.display === target.display)
  const own = [...jobs.values()].filter(({ source }) => isTarget(source))
  const found = own.find(isOfAll)
  if (found) return { ...found, retention: new Map() }
  const [part] = own
  throw new BackupError('config-invalid', {
    message: part
      ? `The job ${part.name} backs up a part of ${target.display} only, so no safety backup of it can be taken`
      : `No job backs up ${target.display}, so no safety backup of it can be taken`,
    hint: 'Nothing was touched. Configure a job whose source it is, and that dumps all of it, or restore without a safety backup.',
  })
}

/** Whether what a job dumps can take the place of all that its source holds. */
function isOfAll({ dump }: Job): boolean {
  const { sections = 'all', tables, excludeTables = [] } = dump
  return sections === 'all' && tables === undefined && excludeTables.length === 0
}

function callOf({ signal, onProgress }: RestoreOptions): Pick<RestoreOptions, 'signal' | 'onProgress'> {
  return { ...(signal && { signal }), ...(onProgress && { onProgress }) }
}

function keptOld(name: string, noted: Date | undefined, { keepMs }: RestorePlan, ctx: RunContext): KeptOld {
  const keepUntil = noted ?? new Date(ctx.clock.now().getTime() + keepMs)
  const goBack = 'undo() of the same database takes it back (command line: holdfast restore undo)'
  return { name, keepUntil, isNoted: noted !== undefined || keepMs === defaultKeepMs, goBack }
}
