import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  isBackupError,
  messageOf,
  type PreflightFindings,
  type PreflightProblem,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { cannotMake, fileOf, requireRoom } from './database-files.js'
import { lookAt, nameWarnings } from './probe.js'
import type { Look } from './program/look.js'

/** {@link Driver.preflight} for SQLite. */
export async function findings(
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const path = await fileOf(bound.path)
  const target = await lookAt(path, ctx)
  const problems = [
    ...requestProblems(request),
    ...(!target && request.mode === 'clean' ? [noTarget(path)] : []),
    ...(await problemsBeside(path, roomFor(from, request.mode === 'staged' ? target : undefined))),
  ]
  return { problems, warnings: [...nameWarnings(path, target), ...requestWarnings(request)] }
}

/** Whether a copy can be made beside the database. */
async function problemsBeside(path: string, bytes: number): Promise<readonly PreflightProblem[]> {
  const directory = dirname(path)
  try {
    await access(directory, constants.W_OK | constants.X_OK).catch((error) => {
      throw cannotMake(path, error)
    })
    await requireRoom(directory, bytes)
    return []
  } catch (error) {
    const hint = isBackupError(error) ? error.hint : undefined
    return [{ message: messageOf(error), ...(hint !== undefined && { hint }) }]
  }
}

/** What no restore of a SQLite backup can do, whatever the target. */
export function requestProblems({
  mode,
  sections = 'all',
  tables = [],
}: Pick<PreflightRequest, 'mode' | 'sections' | 'tables'>): readonly PreflightProblem[] {
  const problems: PreflightProblem[] = []
  if (mode === 'append') {
    problems.push({
      message: 'A SQLite backup is a whole database file, which cannot be appended to another',
      hint: 'Restore it beside the database, and copy rows with ATTACH and INSERT … SELECT.',
    })
  }
  if (sections !== 'all' || tables.length > 0) {
    problems.push({
      message: 'A SQLite backup is restored as a whole',
      hint: 'Restore it beside the database, and copy tables with ATTACH and CREATE TABLE … AS SELECT.',
    })
  }
  return problems
}

/** What is asked for and changes nothing. */
export function requestWarnings({ jobs = 1 }: Pick<PreflightRequest, 'jobs'>): readonly string[] {
  return jobs > 1 ? ['The SQLite driver restores one file as a whole; jobs changes nothing'] : []
}

/** A database whose content is to be replaced, and that is not there. */
export function noTarget(path: string): PreflightProblem {
  return { message: `There is no database file ${path}`, hint: 'Restore with mode create instead.' }
}

/**
 * Bytes that a restore takes beside the database, as far as they are known.
 *
 * @param replaced - The database that is put aside, where one is: it is copied, and SQLite's journal holds it too.
 */
export function roomFor({ parts }: RestoreSource, replaced?: Pick<Look, 'sizeBytes'>): number {
  const dump = parts.find(({ name }) => name === 'sqlite')?.plainBytes ?? 0
  return dump + 2 * (replaced?.sizeBytes ?? 0)
}
