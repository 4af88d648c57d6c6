import {
  type ClientProgram,
  type Driver,
  type DumpRequest,
  isBackupError,
  type JobConfig,
  messageOf,
  type RunContext,
  type ServerInfo,
} from '@holdfast/core'
import { exitCodes } from '../exit-codes.js'
import { counted } from '../output/counted.js'
import { formatBytes } from '../output/format-bytes.js'
import { type Finding, failure, good, problem, warning } from './finding.js'

/** Whether a job's database can be reached, read whole, dumped and restored by programs that are installed. */
export async function checkSource(
  job: string,
  { source: driver, dump = {} }: Pick<JobConfig, 'source' | 'dump'>,
  ctx: RunContext,
): Promise<readonly Finding[]> {
  const about = `source of ${job}`
  try {
    const server = await driver.probe(ctx)
    return [...describe(about, driver, server), ...(await checkUse(about, driver, server, dump, ctx))]
  } catch (error) {
    ctx.signal.throwIfAborted()
    return [failure(about, error)]
  }
}

function describe(about: string, driver: Driver, { version, database }: ServerInfo): Finding[] {
  if (!database) {
    const text = `${driver.display} does not exist on the server`
    return [problem(about, text, 'Check the name; it is case-sensitive.', exitCodes.database)]
  }
  const { sizeBytes, tables, encoding, extensions, unreadable } = database
  const findings = [
    good(about, `${driver.display} answers: ${driver.engine} ${version}`),
    good(about, `${counted(tables, 'table')}, ${formatBytes(sizeBytes)}, ${encoding}`),
  ]
  const needed = extensions.filter((extension) => extension !== 'plpgsql') // every server has that one
  if (needed.length > 0) {
    findings.push(good(about, `extensions, which a server to restore on needs too: ${needed.join(', ')}`))
  }
  if (unreadable.length > 0) {
    const named = unreadable.slice(0, 5).join(', ')
    const more = unreadable.length > 5 ? ` and ${unreadable.length - 5} more` : ''
    const advice = 'Grant the right to read them (PostgreSQL: GRANT pg_read_all_data TO …), or exclude them.'
    findings.push(problem(about, `the user may not read ${named}${more}`, advice, exitCodes.database))
  }
  return findings
}

async function checkUse(
  about: string,
  driver: Driver,
  { database }: ServerInfo,
  dump: DumpRequest,
  ctx: RunContext,
): Promise<readonly Finding[]> {
  if (!database) return [warning(about, 'programs were not looked for', 'Correct the database first.')]
  return [await checkDump(about, driver, dump, ctx), ...(await checkRestore(about, driver, ctx))]
}

/** Prepares a dump and lets go of it again: that chooses the program and starts nothing. */
async function checkDump(about: string, driver: Driver, dump: DumpRequest, ctx: RunContext): Promise<Finding> {
  try {
    const session = await driver.dump({ ...dump, inventory: 'none' }, ctx)
    session.done.catch(() => {}) // it was never started
    await session[Symbol.asyncDispose]()
    // Of all tables there may be some that no program here can dump, and this job leaves out.
    const programs = await driver.programs?.('dump', ctx).catch(() => [])
    return describePrograms(about, 'it can be dumped', programs ?? [])
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isBackupError(error, 'tool-missing') && !isBackupError(error, 'tool-too-old')) return failure(about, error)
    return problem(about, error.message, hintOf(error), exitCodes.backupFailed)
  }
}

/** What only a restore needs is no problem for a backup. */
async function checkRestore(about: string, driver: Driver, ctx: RunContext): Promise<readonly Finding[]> {
  if (!driver.programs) return []
  try {
    return [describePrograms(about, 'its backups can be restored', await driver.programs('restore', ctx))]
  } catch (error) {
    ctx.signal.throwIfAborted()
    return [warning(about, `its backups cannot be restored here: ${messageOf(error)}`, hintOf(error))]
  }
}

function describePrograms(about: string, what: string, programs: readonly ClientProgram[]): Finding {
  const named = programs.map(({ name, version, path }) => `${name} ${version.split(' ')[0]} (${path})`)
  const text = named.length === 0 ? what : `${what}, with ${named.join(' and ')}`
  const doubt = programs.find(({ warning }) => warning !== undefined)?.warning
  return doubt === undefined
    ? good(about, text)
    : warning(about, `${text}: ${doubt}`, "Install the server's own client programs.")
}

const hintOf = (error: unknown): string =>
  (isBackupError(error) ? error.hint : undefined) ?? 'Install the right client programs.'
