import {
  type AsideRecord,
  BackupError,
  type CleanupResult,
  createHoldfast,
  createRunContext,
  type Driver,
  type Holdfast,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { loggerTo, readSetup, urlFrom } from '../configuration/setup.js'
import { binDirOf } from '../configuration/source-from-text.js'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { codeOf, errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatTime } from '../output/format-duration.js'
import type { AsideCommandOptions } from './restore-options.js'
import { confirmRestore } from './restore-target.js'

/** Goes back to what a staged restore has put aside. */
export async function undoCommand(
  cli: Cli,
  [name]: readonly string[],
  options: AsideCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const { paint } = output
  await using holdfast = withoutStorages(cli)
  if (name !== undefined && options.into === undefined) await refuseMisplaced(name, holdfast, cli)
  const [driver, another] = await databasesOf(options, cli)
  if (!driver || another) throw whichOne(await jobsOf(cli))
  const replaced = (await holdfast.asides(driver, { signal })).filter(({ kind }) => kind === 'replaced')
  const chosen = name === undefined ? replaced[0] : replaced.find((aside) => aside.name === name)
  if (chosen) {
    const say = options.yes ? output.note : output.error
    say(`${paint.strong(describe(chosen))} takes the name ${driver.database} again; what is there now is put aside.`)
    await confirmRestore(undefined, options, cli)
  }
  const result = await holdfast.undo(driver, {
    signal,
    ...(chosen && { name: chosen.name }),
    ...(!chosen && name !== undefined && { name }),
    ...(options.terminate && { terminateConnections: true }),
  })
  output.document({ status: 'restored', ...result })
  const stays = result.oldName === undefined ? '' : `; what was there is now ${paint.strong(result.oldName)}`
  output.result(`${result.name} is ${paint.good('back')} as ${result.target}${stays}`)
  return exitCodes.done
}

/** Drops what staged restores have put aside, and what restores that were killed have left. */
export async function cleanupCommand(
  cli: Cli,
  _args: readonly string[],
  options: AsideCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  await using holdfast = withoutStorages(cli)
  const drivers = await databasesOf(options, cli)
  let names: readonly string[] | undefined
  if (options.all) {
    const looks = await Promise.allSettled(drivers.map((driver) => holdfast.asides(driver, { signal })))
    signal.throwIfAborted()
    // A server that cannot be asked is told of below, when the others are done.
    const found = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []))
    if (!options.yes) for (const aside of distinct(found)) output.error(`${describe(aside)} will be dropped`)
    if (found.length > 0) await confirmRestore(undefined, options, cli)
    names = found.map(({ name }) => name) // a restore may put something aside while somebody thinks
  }
  const keepOld = options.keepOld === false ? 1 : options.keepOld
  const results: CleanupResult[] = []
  for (const driver of drivers) {
    const how = {
      ...(keepOld !== undefined && { keepOld }),
      ...(options.all && { all: true }),
      ...(names && { names }),
    }
    results.push(await holdfast.cleanup(driver, { signal, ...how }))
  }
  const dropped = results.flatMap((result) => result.dropped)
  const kept = results.flatMap((result) => result.kept)
  const failed = results.flatMap((result) => result.failed)
  const unreachable = results.flatMap((result) => result.unreachable)
  const unasked = unreachable.map(({ target, error }) => ({ target, ...errorDocument(error) }))
  output.document({ dropped, kept, failed, unreachable: unasked })
  const told = { dropped: distinct(dropped), kept: distinct(kept), failed: distinct(failed) }
  const text = describeCleanup(told, cli)
  if (text !== '') output.result(text)
  else if (unreachable.length < drivers.length) output.result('No restore has left anything.')
  for (const { target, error } of unasked) {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`
    output.error(
      `${output.errorPaint.bad('Error:')} What stands beside ${target} is not known: ${error.message}${hint}`,
    )
  }
  if (failed.length > 0) return exitCodes.restoreFailed
  const [first] = unreachable
  return first ? exitCodeFor(cli.command, codeOf(first.error)) : exitCodes.done
}

function describeCleanup(
  { dropped, kept, failed }: Omit<CleanupResult, 'unreachable'>,
  { output: { paint } }: Cli,
): string {
  return [
    ...dropped.map((aside) => `${paint.good('dropped')} ${describe(aside)}`),
    ...kept.map(
      (aside) =>
        `${paint.faint('kept')}    ${describe(aside)} until ${formatTime(aside.keepUntil)}; --all drops it now`,
    ),
    ...failed.map((aside) => `${paint.bad('failed')}  ${describe(aside)}: ${aside.problem}`),
  ].join('\n')
}

/** Two jobs may know a database under two names of its server: what stands beside it is one thing all the same. */
function distinct<Item extends AsideRecord>(records: readonly Item[]): readonly Item[] {
  const keyOf = ({ name, since, sizeBytes }: Item): string => `${name} ${since.getTime()} ${sizeBytes}`
  return [...new Map(records.map((record) => [keyOf(record), record])).values()]
}

function describe({ name, kind, since, sizeBytes }: AsideRecord): string {
  const what = kind === 'replaced' ? 'replaced' : 'an unfinished restore of'
  return `${name} (${what} ${formatTime(since)}, ${formatBytes(sizeBytes)})`
}

/** The database that was named, or those of all jobs that can put something aside. */
async function databasesOf(options: AsideCommandOptions, cli: Cli): Promise<readonly Driver[]> {
  const isJob = options.into !== undefined && !isSourceUrl(options.into)
  const url = isJob ? undefined : urlFrom({ argument: options.into, file: options.intoFile }, '--into-file', cli)
  if (url !== undefined) {
    return [await askingSource(url, binDirOf(options), cli)]
  }
  const jobs = await jobsOf(cli)
  if (options.into !== undefined) return [await jobNamed(options.into, jobs, cli)]
  const sources = Object.values(jobs).flatMap(({ source }) => (source.asides ? [source] : []))
  if (sources.length === 0) throw whichOne(jobs)
  return [...new Map(sources.map((source) => [source.display, source])).values()]
}

type Jobs = Readonly<Record<string, { readonly source: Driver }>>

async function jobsOf(cli: Cli): Promise<Jobs> {
  const setup = await readSetup(cli)
  return setup.file === undefined ? {} : await setup.jobs()
}

async function jobNamed(name: string, jobs: Jobs, cli: Cli): Promise<Driver> {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined
  if (job) return job.source
  throw new BackupError('no-match', {
    message: `No job is called ${JSON.stringify(name)}`,
    hint: `${await whatElse(name, jobs, cli)}Name ${Object.keys(jobs).join(', ') || 'a job of a config file'}, or the URL of a database.`,
  })
}

/** For whom has named a database where a job belongs. */
async function whatElse(name: string, jobs: Jobs, cli: Cli): Promise<string> {
  for (const [job, { source }] of Object.entries(jobs)) {
    if (source.database === name) return `It is the database of the job ${job}. `
    const asides = await source.asides?.(createRunContext({ signal: cli.signal })).catch(() => [])
    cli.signal.throwIfAborted()
    if (asides?.some((aside) => aside.name === name)) {
      return `It was put aside by a restore: holdfast restore undo ${name} --into ${job}. `
    }
  }
  return ''
}

/** For whom has named a job, or a URL, where the database to take back belongs. */
async function refuseMisplaced(name: string, holdfast: Holdfast, cli: Cli): Promise<void> {
  const takes = 'restore undo takes the name of a database that a restore has put aside'
  if (isSourceUrl(name)) {
    throw new BackupError('no-match', { message: `${takes}, and this is a URL`, hint: 'Give the URL with --into.' })
  }
  const jobs = await jobsOf(cli)
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined
  if (!job?.source.asides) return
  const asides = await holdfast.asides(job.source, { signal: cli.signal })
  const names = asides.flatMap((aside) => (aside.kind === 'replaced' ? [aside.name] : []))
  if (names.includes(name)) return
  const there = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There is none.'
  throw new BackupError('no-match', {
    message: `${takes}, and ${JSON.stringify(name)} is a job`,
    hint: `--into ${name} takes back what was replaced last beside its database. ${there}`,
  })
}

function whichOne(jobs: Jobs): BackupError {
  const names = Object.keys(jobs)
  return new BackupError('config-invalid', {
    message: 'It is not said of which database',
    hint: `Add --into with a job${names.length > 0 ? ` (${names.join(', ')})` : ''} or with postgres://user@host/database.`,
  })
}

/** What stands beside a database is asked of its server alone. */
function withoutStorages(cli: Cli): Holdfast {
  return createHoldfast({ jobs: {}, logger: loggerTo(cli) })
}
