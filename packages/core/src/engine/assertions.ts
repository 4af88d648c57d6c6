import { BackupError, messageOf } from '../backup-error.js'
import type { Driver } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'

/**
 * What has to be true of a restored database. SQL: one statement that returns one row, whose first column is true or
 * a number other than 0. A function: anything that does not throw and does not give `false`.
 *
 * @example
 * ```ts
 * import type { Assertion } from '@holdfast/core'
 *
 * export const assertions: Assertion[] = [
 *   'select count(*) > 0 from orders',
 *   async function everyOrderHasItems({ query }) {
 *     const lonely = await query('select 1 from orders o where not exists (select from items i where i.order_id = o.id)')
 *     return lonely.length === 0
 *   },
 * ]
 * ```
 */
export type Assertion = string | ((database: AssertedDatabase) => unknown)

/** A restored database, as a function asserts something about it. */
export interface AssertedDatabase {
  /** Runs one statement and returns its rows. */
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Bound to the database. */
  readonly driver: Driver
  readonly signal: AbortSignal
}

/** An {@link Assertion} that does not hold. */
export interface FailedAssertion {
  /** The statement, or the function's name. */
  readonly assertion: string
  readonly problem: string
}

/**
 * Looks which assertions do not hold of a database.
 *
 * @throws what is no answer: an abort, a server that went away.
 */
export async function failedAssertions(
  assertions: readonly Assertion[],
  driver: Driver,
  ctx: RunContext,
): Promise<readonly FailedAssertion[]> {
  const failed: FailedAssertion[] = []
  for (const assertion of assertions) {
    const problem = await problemOf(assertion, driver, ctx)
    if (problem !== undefined) failed.push({ assertion: nameOf(assertion), problem })
  }
  return failed
}

/** @throws {BackupError} `restore-failed`, naming every assertion that does not hold. */
export async function requireAssertions(
  assertions: readonly Assertion[],
  driver: Driver,
  ctx: RunContext,
): Promise<void> {
  const failed = await failedAssertions(assertions, driver, ctx)
  if (failed.length === 0) return
  throw new BackupError('restore-failed', {
    message: `What was restored is not as it has to be: ${failed.map(describe).join('; ')}`,
    hint: 'The target was not touched. Take another backup, or an assertion that fits this one.',
  })
}

/** @throws {BackupError} `config-invalid` for SQL that the driver of the database cannot run. */
export function requireQuery(assertions: readonly Assertion[] | undefined, driver: Driver): void {
  if (driver.query || !assertions?.some((assertion) => typeof assertion === 'string')) return
  throw new BackupError('config-invalid', {
    message: `The driver of ${driver.display} runs no statements, so no assertion can be SQL`,
    hint: 'Assert with functions.',
  })
}

async function problemOf(assertion: Assertion, driver: Driver, ctx: RunContext): Promise<string | undefined> {
  try {
    const query: AssertedDatabase['query'] = (statement) => queryOf(driver, statement, ctx)
    if (typeof assertion === 'string') return problemOfRows(await query(assertion))
    const answer = await assertion({ query, driver, signal: ctx.signal })
    return answer === false ? 'it gave false' : undefined
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (error instanceof BackupError && error.retryable) throw error
    return messageOf(error)
  }
}

async function queryOf(
  driver: Driver,
  statement: string,
  ctx: RunContext,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  requireQuery([statement], driver)
  return (await driver.query?.(statement, ctx)) ?? []
}

function problemOfRows(rows: readonly Readonly<Record<string, unknown>>[]): string | undefined {
  const [row] = rows
  if (!row || rows.length > 1) return `it returned ${rows.length} rows instead of one`
  const [value] = Object.values(row)
  return isTrue(value) ? undefined : `it returned ${value instanceof Date ? value.toISOString() : String(value)}`
}

/** Servers send booleans and big numbers as text, too. */
function isTrue(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) !== 0
  if (typeof value !== 'string') return false
  return /^(t|true)$/i.test(value) || (value.trim() !== '' && Number.isFinite(Number(value)) && Number(value) !== 0)
}

function nameOf(assertion: Assertion): string {
  return typeof assertion === 'string' ? assertion.trim() : assertion.name || 'a function without a name'
}

function describe({ assertion, problem }: FailedAssertion): string {
  return `${assertion}: ${problem}`
}
