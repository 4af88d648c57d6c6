import { readingsOf } from './statement-readings.js'
import { withoutVersions } from './statement-subject.js'

/** The SQL mode of the client's session, as far as a dump has come: it says what a backslash in quotes means. */
export interface SqlModes {
  /**
   * Follows a statement that sets it.
   *
   * @returns The statement to pass on: with a value in the place of a variable, to which any row of the dump can assign
   *   another one, and for rows with a mode that takes every date. `undefined` for what is not understood: it could hide where quotes end.
   */
  follow(sql: string): string | undefined
  /** What a backslash is between two of these marks. `unclear`: not the same to every client and server. */
  backslashIn(quoteMark: number): 'escape' | 'plain' | 'unclear'
}

/** The mode in which a dump begins, whatever is the server's: what quotes mean is not to depend on that. */
export const initialMode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'

/** Of MySQL and MariaDB. What a mode of another name does to quotes nobody knows. */
const known = new Set([
  ...['REAL_AS_FLOAT', 'PIPES_AS_CONCAT', 'ANSI_QUOTES', 'IGNORE_SPACE', 'IGNORE_BAD_TABLE_OPTIONS'],
  ...['ONLY_FULL_GROUP_BY', 'NO_UNSIGNED_SUBTRACTION', 'NO_DIR_IN_CREATE', 'NO_KEY_OPTIONS', 'NO_TABLE_OPTIONS'],
  ...['NO_FIELD_OPTIONS', 'NO_AUTO_VALUE_ON_ZERO', 'NO_BACKSLASH_ESCAPES', 'STRICT_TRANS_TABLES'],
  ...['STRICT_ALL_TABLES', 'NO_ZERO_IN_DATE', 'NO_ZERO_DATE', 'ALLOW_INVALID_DATES', 'ERROR_FOR_DIVISION_BY_ZERO'],
  ...['NO_AUTO_CREATE_USER', 'HIGH_NOT_PRECEDENCE', 'NO_ENGINE_SUBSTITUTION', 'PAD_CHAR_TO_FULL_LENGTH'],
  ...['EMPTY_STRING_IS_NULL', 'SIMULTANEOUS_ASSIGNMENT', 'TIME_ROUND_FRACTIONAL', 'TIME_TRUNCATE_FRACTIONAL'],
  ...['TRADITIONAL', 'MYSQL323', 'MYSQL40', 'ANSI', 'ORACLE', 'MSSQL', 'POSTGRESQL', 'DB2', 'MAXDB', ''],
])
/** Modes in which double quotes enclose names; the last of them bring ANSI_QUOTES with them without saying so. */
const quotesNames = /^(?:ANSI_QUOTES|ANSI|ORACLE|MSSQL|POSTGRESQL|DB2|MAXDB)$/

/** As dump programs keep, set and give back the mode. */
const sets =
  /^SET\s+(?:@(\w+)\s*=\s*@@(?:session\.)?sql_mode\s*(?:,\s*|$))?(?:(?:SESSION\s+|@@session\.)?sql_mode\s*=\s*(?:'([\w,]*)'|"([\w,]*)"|@(\w*sql_mode\w*)))?$/i

/** What dump programs begin with. In this mode the server makes 0000-00-00 of a 31 February that another let in. */
const ofRows = 'NO_AUTO_VALUE_ON_ZERO'

const [double, backtick] = [0x22, 0x60]

/** Begins with {@link initialMode}. Routines stand in a dump with the mode that they were made in. */
export function followModes(): SqlModes {
  const saved = new Map<string, string>()
  let mode = initialMode
  let noEscapes = false
  let ansi = false

  return {
    follow(sql) {
      if (!/sql_mode/i.test(sql)) return sql
      const statement = withoutVersions(sql).trim()
      if (!/^SET\s/i.test(statement)) return sql
      const match = sets.exec(statement)
      if (!match || readingsOf(sql)?.size !== 1) return undefined
      const [, kept, single, inDouble, variable] = match
      if (kept !== undefined) saved.set(kept.toLowerCase(), mode)
      const value = variable === undefined ? (single ?? inDouble) : saved.get(variable.toLowerCase())
      if (value === undefined) return variable === undefined ? sql : undefined
      const names = value.toUpperCase().split(',')
      if (!names.every((name) => known.has(name))) return undefined
      mode = value === ofRows && kept !== undefined ? `${ofRows},ALLOW_INVALID_DATES` : value
      noEscapes = names.includes('NO_BACKSLASH_ESCAPES')
      ansi = names.some((name) => quotesNames.test(name))
      if (variable === undefined && mode === value) return sql
      return `SET ${kept === undefined ? '' : `@${kept} = @@sql_mode, `}sql_mode = '${mode}'`
    },
    backslashIn(quoteMark) {
      if (quoteMark === backtick || noEscapes) return 'plain'
      // MySQL's client knows nothing of names in double quotes, and still takes it for an escape.
      return quoteMark === double && ansi ? 'unclear' : 'escape'
    },
  }
}
