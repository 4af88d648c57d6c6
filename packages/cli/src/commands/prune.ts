import {
  BackupError,
  type Holdfast,
  type JobConfig,
  type PlanOptions,
  type PruneResult,
  type RetentionPlan,
} from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { environmentVariables } from '../configuration/environment-variables.js'
import { environmentJob } from '../configuration/from-environment.js'
import { type FromOptions, type OpenedBackups, openBackups } from '../configuration/open-backups.js'
import { retentionFrom } from '../configuration/retention.js'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { counted } from '../output/counted.js'
import { codeOf, describeError, errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { describePlaces, lookElsewhere } from '../output/places.js'
import { createProgress } from '../output/progress.js'
import { describePlan, pruneDocument } from '../output/prune.js'
import { shortPlace } from '../output/short-place.js'
import { visible } from '../output/visible.js'

/** Options of `holdfast prune`. */
export interface PruneCommandOptions extends FromOptions {
  readonly retention?: string
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly yes?: boolean
}

type Outcome = { readonly code: ExitCode; readonly documents: readonly object[] }

/** Shows what retention keeps and why, and deletes the rest; one job that fails does not keep the next from it. */
export async function pruneCommand(cli: Cli, args: readonly string[], options: PruneCommandOptions): Promise<ExitCode> {
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const retention = retentionFrom(options.retention, opened.setup.read)
  const jobs = await jobsToPrune(args[0], options.retention, retention !== undefined, opened, cli)
  const isNamed = options.from !== undefined || options.storage !== undefined
  const storages = isNamed ? { storages: Object.keys(opened.storages) } : {}
  const how = { signal: cli.signal, ...storages, ...(retention && { retention }) }
  const outcomes: Outcome[] = []
  for (const job of jobs) outcomes.push(await pruneOne(job, jobs.length > 1, holdfast, how, options, cli))
  cli.output.document({ storages: outcomes.flatMap(({ documents }) => documents) })
  return outcomes.find(({ code }) => code !== exitCodes.done)?.code ?? exitCodes.done
}

/**
 * The one that was named; those with a retention; or, where one is given for all, every job: for the command line each
 * that has backups, for the environment those that are set up here, as a place may hold the backups of others too.
 */
async function jobsToPrune(
  named: string | undefined,
  retention: PruneCommandOptions['retention'],
  isGiven: boolean,
  opened: OpenedBackups,
  cli: Cli,
): Promise<readonly string[]> {
  const own = await ownJobs(opened)
  if (named !== undefined) {
    if (!Object.hasOwn(own, named)) await requireBackups(named, Object.keys(own), opened, cli)
    return [named]
  }
  const configured = Object.keys(own).filter((name) => isGiven || own[name]?.retention)
  if (retention === undefined && configured.length > 0) return configured
  if (!isGiven) {
    throw new BackupError('config-invalid', {
      message: 'It is not said which backups are to stay; so all of them do',
      hint: 'Set retention of a job, for example keep({ daily: 7, weekly: 4 }); or BACKUP_RETENTION=7d,4w; or try --retention 7d,4w --dry-run.',
    })
  }
  const jobs = await jobsWithBackups(opened, cli)
  if (jobs.length > 0) return jobs
  throw new BackupError('no-match', {
    message: `There are no backups on ${describePlaces(opened.storages)}`,
    hint: lookElsewhere,
  })
}

/** Those of the config file, or without one that of the environment. */
async function ownJobs({ setup }: OpenedBackups): Promise<Readonly<Record<string, Pick<JobConfig, 'retention'>>>> {
  if (setup.file !== undefined) return setup.jobs()
  return setup.read(environmentVariables.databaseUrl) === undefined ? {} : { [environmentJob]: {} }
}

/** Everybody's; part of a list must not look like the whole. */
async function jobsWithBackups({ holdfast }: OpenedBackups, { signal }: Cli): Promise<readonly string[]> {
  const { backups, unreachable } = await holdfast.list({ signal })
  if (unreachable[0]) throw unreachable[0].error
  return [...new Set(backups.map(({ job }) => job))].toSorted()
}

/** @throws {BackupError} `no-match` for a job that has none, with those that there are: it may be mistyped. */
async function requireBackups(job: string, own: readonly string[], opened: OpenedBackups, cli: Cli): Promise<void> {
  const found = await jobsWithBackups(opened, cli)
  if (found.includes(job)) return
  const jobs = [...new Set([...own, ...found])].toSorted()
  throw new BackupError('no-match', {
    message: `There is no job ${job}, and no backup of it on ${describePlaces(opened.storages)}`,
    hint: jobs.length > 0 ? `There are: ${jobs.join(', ')}.` : lookElsewhere,
  })
}

async function pruneOne(
  job: string,
  isOneOfSeveral: boolean,
  holdfast: Holdfast,
  how: PlanOptions,
  options: PruneCommandOptions,
  cli: Cli,
): Promise<Outcome> {
  const { output, signal } = cli
  try {
    const plans = await holdfast.plan(job, how)
    for (const plan of plans) output.result(describePlan(plan, output, new Date()))
    if (options.dryRun) return { code: tellDryRun(plans, options, cli), documents: plans.map(pruneDocument) }
    const force = options.force || (await liftHolds(plans, cli))
    await confirm(plans, options, force, cli)
    using progress = createProgress(job, cli.world, output, cli.options)
    const results = await holdfast.prune(job, { ...how, force, onProgress: progress.report })
    progress[Symbol.dispose]()
    for (const result of results) tell(result, force, cli)
    const isWhole = results.every((result) => result.problem === undefined && isFree(result, force))
    return { code: isWhole ? exitCodes.done : exitCodes.partial, documents: results.map(pruneDocument) }
  } catch (error) {
    if (signal.aborted || !isOneOfSeveral) throw error
    output.error(describeError(error, output.errorPaint, output.verbose))
    return { code: exitCodeFor(cli.command, codeOf(error)), documents: [{ job, ...errorDocument(error) }] }
  }
}

function doomed(plans: readonly RetentionPlan[]): number {
  return plans.reduce((sum, { decisions }) => sum + decisions.filter(({ keep }) => !keep).length, 0)
}

function tellDryRun(
  plans: readonly RetentionPlan[],
  { force = false }: PruneCommandOptions,
  { output }: Cli,
): ExitCode {
  const holds = plans.flatMap(({ hold }) => (hold && !isFree({ hold }, force) ? [hold] : []))
  for (const hold of holds) output.warn(`${visible(hold.message)}. Nothing would be deleted there${forceHint(hold)}`)
  const going = doomed(plans.filter((plan) => isFree(plan, force)))
  const held = doomed(plans) - going
  const rest = held > 0 ? `, ${held} held back` : ''
  output.note(`Nothing was deleted: this was a dry run. ${counted(going, 'backup')} would go${rest}.`)
  return exitCodes.done
}

/** Whether nothing keeps a prune from doing what was planned. */
const isFree = ({ hold }: Pick<RetentionPlan, 'hold'>, force: boolean): boolean => !hold || (force && hold.canForce)

const forceHint = ({ canForce }: { readonly canForce: boolean }): string =>
  canForce ? '; --force deletes all the same.' : '.'

/** Somebody who sees why nothing is deleted may decide otherwise. */
async function liftHolds(plans: readonly RetentionPlan[], cli: Cli): Promise<boolean> {
  const holds = plans.flatMap(({ hold }) => (hold?.canForce ? [hold] : []))
  if (holds.length === 0 || !canAsk(cli.world)) return false
  for (const { message } of holds) cli.output.warn(`${visible(message)}.`)
  return (await ask('Type yes to delete all the same:', cli.world, cli.signal))?.toLowerCase() === 'yes'
}

/** A retention that was set up has been thought about; one on a command line may be mistyped. */
async function confirm(
  plans: readonly RetentionPlan[],
  options: PruneCommandOptions,
  force: boolean,
  cli: Cli,
): Promise<void> {
  const count = doomed(plans.filter((plan) => isFree(plan, force)))
  if (options.retention === undefined || options.yes || count === 0) return
  if (!canAsk(cli.world)) {
    throw new BackupError('config-invalid', {
      message: `${counted(count, 'backup')} would be deleted, and there is no terminal to ask at`,
      hint: 'Nothing was deleted. Add --yes once you are sure; --dry-run shows which.',
    })
  }
  const typed = await ask(`Type yes to delete ${counted(count, 'backup')}:`, cli.world, cli.signal)
  if (typed?.toLowerCase() === 'yes') return
  throw new BackupError('config-invalid', { message: 'It was not confirmed', hint: 'Nothing was deleted.' })
}

function tell({ storage, deleted, freedBytes, hold, problem }: PruneResult, force: boolean, { output }: Cli): void {
  const place = shortPlace(storage)
  if (hold && !isFree({ hold }, force)) {
    output.warn(`Nothing was deleted from ${place}. ${visible(hold.message)}${forceHint(hold)}`)
    return
  }
  if (problem !== undefined) output.error(`${output.errorPaint.bad('Error:')} ${visible(problem)}`)
  const what =
    deleted.length === 0
      ? 'nothing to delete'
      : `deleted ${counted(deleted.length, 'backup')}, ${formatBytes(freedBytes)}`
  output.result(`${place}: ${what}`)
}
