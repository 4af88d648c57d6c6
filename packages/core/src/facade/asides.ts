import { BackupError, messageOf } from '../backup-error.js'
import type { AsideDatabase, Driver } from '../driver/driver.js'
import { durationMs } from '../duration.js'
import type { RunContext } from '../run-context.js'
import type {
  AsideRecord,
  CallOptions,
  CleanupOptions,
  CleanupResult,
  DatabaseChoice,
  UndoOptions,
  UndoResult,
} from './calls.js'
import { onlyJob, type Project, pick } from './project.js'
import { defaultKeepMs } from './restore.js'

interface Found {
  readonly aside: AsideDatabase
  readonly record: AsideRecord
}

/** {@link Holdfast.undo}. */
export async function undoRestore(
  project: Project,
  choice: DatabaseChoice | undefined,
  options: UndoOptions,
): Promise<UndoResult> {
  const ctx = project.contextOf(options)
  const driver = choice === undefined ? onlyJob(project.jobs).source : driverOf(project, choice)
  const replaced = (await asidesOf(driver, ctx)).filter(({ aside }) => aside.kind === 'replaced' && aside.takeBack)
  const chosen = options.name === undefined ? replaced[0] : replaced.find(({ aside }) => aside.name === options.name)
  if (!chosen?.aside.takeBack) throw nothingToTakeBack(driver, replaced, options)
  const { terminateConnections = false } = options
  const keepUntil = after(ctx.clock.now(), defaultKeepMs)
  ctx.report({ type: 'stage', stage: 'swap', detail: chosen.aside.name })
  const done = await chosen.aside.takeBack({ terminateConnections, keepUntil }, ctx)
  return { target: driver.display, name: chosen.aside.name, ...done }
}

/** {@link Holdfast.asides}. */
export async function listAsides(
  project: Project,
  choice: DatabaseChoice | undefined,
  options: CallOptions,
): Promise<readonly AsideRecord[]> {
  const ctx = project.contextOf(options)
  const found: Found[] = []
  for (const driver of driversOf(project, choice)) found.push(...(await asidesOf(driver, ctx)))
  return found.map(({ record }) => record).sort((a, b) => b.since.getTime() - a.since.getTime())
}

/** {@link Holdfast.cleanup}. */
export async function cleanUpAsides(
  project: Project,
  choice: DatabaseChoice | undefined,
  { keepOld, all = false, names, ...options }: CleanupOptions,
): Promise<CleanupResult> {
  const ctx = project.contextOf(options)
  const keepMs = keepOld === undefined ? undefined : durationMs(keepOld, 'keepOld')
  const now = ctx.clock.now()
  const isDue = ({ name, keepUntil }: AsideRecord): boolean =>
    (names?.includes(name) ?? true) && (all || now >= keepUntil)
  const result: Cleanup = { dropped: [], kept: [], failed: [], unreachable: [] }
  // One database after the other: two jobs may know the same one under two names of its server.
  for (const driver of driversOf(project, choice)) {
    for (const { aside, record: found } of await lookBeside(driver, result, ctx)) {
      const record = keepMs === undefined ? found : { ...found, keepUntil: after(aside.since, keepMs) }
      if (isDue(record)) await drop(aside, record, result, ctx)
      else result.kept.push(record)
    }
  }
  return result
}

/** A result in the making. */
type Cleanup = { readonly [Key in keyof CleanupResult]: CleanupResult[Key][number][] }

async function lookBeside(driver: Driver, { unreachable }: Cleanup, ctx: RunContext): Promise<readonly Found[]> {
  const asides = asidesBeside(driver)
  try {
    return await asides(ctx)
  } catch (error) {
    ctx.signal.throwIfAborted()
    unreachable.push({ target: driver.display, error })
    return []
  }
}

async function drop(
  aside: AsideDatabase,
  record: AsideRecord,
  { dropped, failed }: Cleanup,
  ctx: RunContext,
): Promise<void> {
  try {
    await aside.drop(ctx)
    dropped.push(record)
  } catch (error) {
    ctx.signal.throwIfAborted()
    failed.push({ ...record, problem: messageOf(error), error })
  }
}

/** The database that was named, or those of all jobs beside which something can stand. */
function driversOf(project: Project, choice: DatabaseChoice | undefined): readonly Driver[] {
  if (choice !== undefined) return [driverOf(project, choice)]
  const sources = [...project.jobs.values()].flatMap(({ source }) => (source.asides ? [source] : []))
  return [...new Map(sources.map((source) => [`${source.engine} ${source.display}`, source])).values()]
}

const asidesOf = (driver: Driver, ctx: RunContext): Promise<readonly Found[]> => asidesBeside(driver)(ctx)

/** @throws {BackupError} `config-invalid` when nothing can stand beside a database of this engine. */
function asidesBeside(driver: Driver): (ctx: RunContext) => Promise<readonly Found[]> {
  const asides = driver.asides?.bind(driver)
  if (asides) return async (ctx) => (await asides(ctx)).map((aside) => foundBeside(driver, aside))
  throw new BackupError('config-invalid', {
    message: `The driver of ${driver.display} puts nothing aside, so there is nothing to go back to`,
  })
}

function foundBeside(driver: Driver, aside: AsideDatabase): Found {
  const { name, kind, since, sizeBytes, keepUntil: noted } = aside
  // A note that cannot be read must not count as a time that has come.
  const isTime = noted !== undefined && !Number.isNaN(noted.getTime())
  const keepUntil = isTime ? noted : after(since, defaultKeepMs)
  return { aside, record: { target: driver.display, name, kind, since, sizeBytes, keepUntil } }
}

const after = (date: Date, ms: number): Date => new Date(date.getTime() + ms)

function driverOf({ jobs }: Project, choice: DatabaseChoice): Driver {
  return typeof choice === 'string' ? pick(jobs, choice, 'job').source : choice
}

function nothingToTakeBack(driver: Driver, replaced: readonly Found[], { name }: UndoOptions): BackupError {
  const names = replaced.map(({ aside }) => aside.name)
  return new BackupError('no-match', {
    message:
      name === undefined
        ? `Nothing that was replaced stands beside ${driver.display}`
        : `No database ${JSON.stringify(name)} that was replaced stands beside ${driver.display}`,
    hint:
      names.length > 0
        ? `There are: ${names.join(', ')}.`
        : 'What a restore replaced may have been cleaned up; restore an older backup, or the safety backup.',
  })
}
