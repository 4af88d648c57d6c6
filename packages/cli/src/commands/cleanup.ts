import type { AsideRecord, CleanupResult, Driver, Holdfast } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { codeOf, errorDocument } from '../output/errors.js'
import { formatTime } from '../output/format-duration.js'
import { databasesOf, describeAside, withoutStorages } from './asides.js'
import type { AsideCommandOptions } from './restore-options.js'
import { confirmRestore } from './restore-target.js'

/** Drops what staged restores have put aside, and what restores that were killed have left. */
export async function cleanupCommand(
  cli: Cli,
  _args: readonly string[],
  options: AsideCommandOptions,
): Promise<ExitCode> {
  await using holdfast = withoutStorages(cli)
  const drivers = await databasesOf(options, cli)
  const names = options.all ? await confirmDropOfAll(drivers, holdfast, options, cli) : undefined
  const result = await cleanUp(drivers, holdfast, names, options, cli)
  cli.output.document(cleanupDocument(result))
  tell(result, drivers, options, cli)
  if (result.failed.length > 0) return exitCodes.restoreFailed
  const [first] = result.unreachable
  return first ? exitCodeFor(cli.command, codeOf(first.error)) : exitCodes.done
}

/** @returns What somebody has agreed to: a restore may put something aside while they think. */
async function confirmDropOfAll(
  drivers: readonly Driver[],
  holdfast: Holdfast,
  options: AsideCommandOptions,
  cli: Cli,
): Promise<readonly string[]> {
  const { output, signal } = cli
  const looks = await Promise.allSettled(drivers.map((driver) => holdfast.asides(driver, { signal })))
  signal.throwIfAborted()
  // A server that cannot be asked is told of when the others are done.
  const found = looks.flatMap((look) => (look.status === 'fulfilled' ? look.value : []))
  if (!options.yes) for (const aside of distinct(found)) output.error(`${describeAside(aside)} will be dropped`)
  if (found.length > 0) await confirmRestore(undefined, options, cli)
  return found.map(({ name }) => name)
}

/** @param names - What may be dropped. Default: everything. */
async function cleanUp(
  drivers: readonly Driver[],
  holdfast: Holdfast,
  names: readonly string[] | undefined,
  { keepOld, all }: AsideCommandOptions,
  { signal }: Cli,
): Promise<CleanupResult> {
  const keep = keepOld === false ? 1 : keepOld
  const results: CleanupResult[] = []
  for (const driver of drivers) {
    const how = { ...(keep !== undefined && { keepOld: keep }), ...(all && { all }), ...(names && { names }) }
    results.push(await holdfast.cleanup(driver, { signal, ...how }))
  }
  return {
    dropped: results.flatMap(({ dropped }) => dropped),
    kept: results.flatMap(({ kept }) => kept),
    failed: results.flatMap(({ failed }) => failed),
    unreachable: results.flatMap(({ unreachable }) => unreachable),
  }
}

/** The result for programs: errors by their code, message and hint. */
function cleanupDocument({ dropped, kept, failed, unreachable }: CleanupResult): object {
  return {
    dropped,
    kept,
    failed: failed.map(({ error, ...rest }) => ({ ...rest, ...errorDocument(error) })),
    unreachable: unreachable.map(({ target, error }) => ({ target, ...errorDocument(error) })),
  }
}

function tell(result: CleanupResult, drivers: readonly Driver[], options: AsideCommandOptions, cli: Cli): void {
  const { output } = cli
  const text = describeDrops(result, options, cli)
  if (text !== '') output.result(text)
  else if (result.unreachable.length < drivers.length) output.result('No restore has left anything.')
  for (const { target, error } of result.unreachable) {
    const { message } = errorDocument(error).error
    output.error(
      `${output.errorPaint.bad('Error:')} What stands beside ${target} is not known: ${message}${hintOf(error)}`,
    )
  }
}

function describeDrops(
  { dropped, kept, failed }: CleanupResult,
  { all }: AsideCommandOptions,
  { output: { paint } }: Cli,
): string {
  const why = ({ keepUntil }: CleanupResult['kept'][number]): string =>
    all
      ? ': it was put aside meanwhile, and nobody was asked about it; the same command offers it next'
      : ` until ${formatTime(keepUntil)}; --all drops it now`
  return [
    ...distinct(dropped).map((aside) => `${paint.good('dropped')} ${describeAside(aside)}`),
    ...distinct(kept).map((aside) => `${paint.faint('kept')}    ${describeAside(aside)}${why(aside)}`),
    ...distinct(failed).map(
      (aside) => `${paint.bad('failed')}  ${describeAside(aside)}: ${aside.problem}${hintOf(aside.error)}`,
    ),
  ].join('\n')
}

/** What to do about an error, on a line of its own. */
function hintOf(error: unknown): string {
  const { hint } = errorDocument(error).error
  return hint === undefined ? '' : `\n  ${hint}`
}

/** Two jobs may know a database under two names of its server: what stands beside it is one thing all the same. */
function distinct<Item extends AsideRecord>(records: readonly Item[]): readonly Item[] {
  const keyOf = ({ name, since, sizeBytes }: Item): string => `${name} ${since.getTime()} ${sizeBytes}`
  return [...new Map(records.map((record) => [keyOf(record), record])).values()]
}
