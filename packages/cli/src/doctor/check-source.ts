import { type Driver, isBackupError, type RunContext, type ServerInfo } from '@holdfast/core'
import { exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { type Finding, failure, good, problem, warning } from './finding.js'

/** Whether a job's database can be reached, read whole, and dumped by a program that is installed. */
export async function checkSource(job: string, driver: Driver, ctx: RunContext): Promise<readonly Finding[]> {
  const about = `source of ${job}`
  try {
    const server = await driver.probe(ctx)
    return [...describe(about, driver, server), await checkDump(about, driver, server, ctx)]
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
    good(about, `${tables} tables, ${formatBytes(sizeBytes)}, ${encoding}`),
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

/** Prepares a dump and lets go of it again: that chooses the program and starts nothing. */
async function checkDump(about: string, driver: Driver, { database }: ServerInfo, ctx: RunContext): Promise<Finding> {
  if (!database) return warning(about, 'programs were not looked for', 'Correct the database first.')
  try {
    const session = await driver.dump({ sections: 'schema', inventory: 'none' }, ctx)
    session.done.catch(() => {}) // it was never started
    await session[Symbol.asyncDispose]()
    return good(about, 'the programs that are installed can dump it')
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isBackupError(error, 'tool-missing') && !isBackupError(error, 'tool-too-old')) return failure(about, error)
    return problem(about, error.message, error.hint ?? 'Install the right client programs.', exitCodes.backupFailed)
  }
}
