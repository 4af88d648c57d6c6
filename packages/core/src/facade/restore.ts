import { BackupError } from '../backup-error.js'
import type { Driver } from '../driver/driver.js'
import { durationMs } from '../duration.js'
import type { BackupRecord } from '../engine/backup-record.js'
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
import type { RunContext } from '../run-context.js'
import { backupJob } from './backup.js'
import type { KeptOld, RestoreOptions, RestorePreview, RestoreResult } from './calls.js'
import type { Project } from './project.js'

/** How long a staged restore keeps what was there before. */
const defaultKeepOld = '24h'

/** The same in milliseconds: how old something must be to be cleaned up, where no time was noted with it. */
export const defaultKeepMs: number = durationMs(defaultKeepOld, 'keepOld')

/** How long to keep what was there before. */
export const keepMsOf = ({ keepOld }: Pick<RestoreOptions, 'keepOld'>): number =>
  durationMs(keepOld || defaultKeepOld, 'keepOld')

/** {@link Holdfast.restore}. */
export async function restoreBackup(
  project: Project,
  selector: string,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const ctx = project.contextOf(options)
  const backup = await project.find(selector, options, ctx)
  const run = await restorePlan(project, planOf(project, backup, options), options, ctx)
  return { backup, ...run, warnings: [...doubts(backup), ...run.warnings] }
}

/** {@link Holdfast.previewRestore}. */
export async function previewRestore(
  project: Project,
  selector: string,
  options: RestoreOptions,
): Promise<RestorePreview> {
  const ctx = project.contextOf(options)
  const backup = await project.find(selector, options, ctx)
  const prepared = keeping(await prepareRestore(planOf(project, backup, options), ctx), options)
  if (options.safetyBackup) safetyJob(project, prepared.target)
  const { target, way, database } = prepared
  const { problems, warnings } = await lookBefore(prepared, ctx)
  const found = { problems, warnings: [...doubts(backup), ...warnings] }
  return { backup, target: target.display, mode: way, ...(database && { database }), ...found }
}

/** What is known against a backup does not keep it from being restored: the rest of it may be all there is. */
function doubts(backup: BackupRecord): readonly string[] {
  const doubt = doubtOf(backup)
  return doubt === undefined ? [] : [doubt]
}

/** Runs a restore, from whatever it is read. */
export async function restorePlan(
  project: Project,
  plan: RestorePlan,
  options: RestoreOptions,
  ctx: RunContext,
): Promise<Omit<RestoreResult, 'backup'>> {
  const prepared = keeping(await prepareRestore(plan, ctx), options)
  const { target, database, manifest } = prepared
  const saves = options.safetyBackup && safetyJob(project, target)
  // Drivers look for themselves before they touch anything; but this is long before.
  if (saves || prepared.aside || plan.request.tables) requireNoProblem(await lookBefore(prepared, ctx))
  const label = `before the restore of ${manifest.database} of ${manifest.startedAt}`
  const saved =
    saves && database && !database.empty ? await backupJob(project, saves, { ...callOf(options), label }) : undefined
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

/** @throws {BackupError} `config-invalid` when no job backs the target up. */
function safetyJob({ jobs }: Project, target: Driver): string {
  const isTarget = (source: Driver): boolean =>
    source === target || (source.engine === target.engine && source.display === target.display)
  const found = [...jobs.values()].find(({ source }) => isTarget(source))
  if (found) return found.name
  throw new BackupError('config-invalid', {
    message: `No job backs up ${target.display}, so no safety backup of it can be taken`,
    hint: 'Nothing was touched. Configure a job whose source it is, or restore without a safety backup.',
  })
}

function callOf({ signal, onProgress }: RestoreOptions): Pick<RestoreOptions, 'signal' | 'onProgress'> {
  return { ...(signal && { signal }), ...(onProgress && { onProgress }) }
}

function keptOld(name: string, noted: Date | undefined, { keepMs }: RestorePlan, ctx: RunContext): KeptOld {
  const keepUntil = noted ?? new Date(ctx.clock.now().getTime() + keepMs)
  const goBack = 'undo() of the same database takes it back (command line: holdfast restore undo)'
  return { name, keepUntil, isNoted: noted !== undefined || keepMs === defaultKeepMs, goBack }
}
