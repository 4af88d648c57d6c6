import type { PreflightProblem, PreflightRequest, RestoreSource } from '@holdfast/core'
import type { Look } from './program/look.js'

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
