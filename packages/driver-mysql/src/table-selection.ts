import { BackupError, type DumpRequest, nearHint } from '@holdfast/core'
import type { TableInfo } from './schema-objects.js'

/** Which tables are dumped. */
export interface TableChoice {
  /** Names, where only some are wanted; else all but `excluded`. */
  readonly only: readonly string[] | undefined
  readonly excluded: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Resolves patterns (`orders`, `log_*`, `shop.log_?`) against the tables that there are.
 *
 * @throws {BackupError} `no-match` for a table pattern that matches nothing. An exclusion that does only warns, for it
 *   leaves more in the dump, not less.
 */
export function chooseTables(request: DumpRequest, database: string, there: readonly TableInfo[]): TableChoice {
  const names = there.map(({ name }) => name)
  const matching = (pattern: string): readonly string[] => matchNames(pattern, database, names)
  const excluded = new Set((request.excludeTables ?? []).flatMap(matching))
  const warnings = (request.excludeTables ?? [])
    .filter((pattern) => matching(pattern).length === 0)
    .map((pattern) => `The exclusion ${JSON.stringify(pattern)} matches no table`)
  if (request.tables === undefined) return { only: undefined, excluded: [...excluded], warnings }
  const wanted = new Set<string>()
  for (const pattern of request.tables) {
    const matched = matching(pattern)
    if (matched.length === 0) throw noMatch(pattern, names)
    for (const name of matched) if (!excluded.has(name)) wanted.add(name)
  }
  if (wanted.size === 0) throw noMatch(request.tables.join(', '), [])
  return { only: [...wanted], excluded: [], warnings }
}

/** The names that a pattern means: as it stands, or with `*` and `?`; with or without the database before it. */
function matchNames(pattern: string, database: string, names: readonly string[]): readonly string[] {
  const bare = pattern.startsWith(`${database}.`) ? pattern.slice(database.length + 1) : pattern
  for (const candidate of new Set([pattern, bare])) {
    if (names.includes(candidate)) return [candidate]
    const expression = new RegExp(`^${[...candidate].map(translate).join('')}$`, 's')
    const matched = names.filter((name) => expression.test(name))
    if (matched.length > 0) return matched
  }
  return []
}

function translate(char: string): string {
  if (char === '*') return '.*'
  if (char === '?') return '.'
  return char.replace(/[\\^$.|+()[\]{}]/, '\\$&')
}

function noMatch(pattern: string, names: readonly string[]): BackupError {
  return new BackupError('no-match', {
    message: `No table matches ${JSON.stringify(pattern)}`,
    hint: `${nearHint(pattern, names)}Patterns are names with * and ?, for example orders or log_*.`,
  })
}
