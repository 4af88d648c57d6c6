import { describe, expect, it } from 'vitest'
import { followModes } from './sql-modes.js'

const [single, double, backtick] = [0x27, 0x22, 0x60]
const meanings = (...statements: readonly string[]): readonly string[] => {
  const modes = followModes()
  for (const sql of statements) expect(modes.follow(sql)).toBeDefined()
  return [single, double, backtick].map(modes.backslashIn)
}

describe('a backslash in quotes', () => {
  it('is an escape but in the name between backticks, to begin with', () => {
    expect(meanings()).toEqual(['escape', 'escape', 'plain'])
  })

  it('is plain where nothing escapes', () => {
    const plain = ['plain', 'plain', 'plain']
    expect(meanings("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")).toEqual(plain)
    expect(meanings("/*!50003 SET sql_mode = 'ansi_quotes,no_backslash_escapes' */")).toEqual(plain)
    expect(meanings('SET SESSION SQL_MODE="STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES"')).toEqual(plain)
  })

  it.each(['ANSI_QUOTES', 'ansi', 'ORACLE', 'MSSQL', 'POSTGRESQL', 'DB2', 'MAXDB', 'NO_ZERO_DATE,ORACLE'])(
    'is unclear in double quotes where these are for names: %s',
    (mode) => {
      expect(meanings(`SET sql_mode = '${mode}'`)).toEqual(['escape', 'unclear', 'plain'])
      expect(meanings(`SET sql_mode = '${mode}'`, "SET sql_mode = ''")).toEqual(['escape', 'escape', 'plain'])
    },
  )
})

describe('a mode that is given back', () => {
  it('is passed on as a value, for a row can have assigned another one to the variable', () => {
    const modes = followModes()
    const begin = "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */"
    const save = '/*!50003 SET @saved_sql_mode = @@sql_mode */ '
    const ofRows = "sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'"
    expect(modes.follow(begin)).toBe(`SET @OLD_SQL_MODE = @@sql_mode, ${ofRows}`)
    for (const sql of [save, "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"]) expect(modes.follow(sql)).toBe(sql)
    expect(modes.follow('/*!50003 SET sql_mode = @saved_sql_mode */ ')).toBe(`SET ${ofRows}`)
    const initial = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'
    expect(modes.follow('/*!40101 SET SQL_MODE=@OLD_SQL_MODE */')).toBe(`SET sql_mode = '${initial}'`)
    expect(modes.follow('SET @a = @@sql_mode, sql_mode = @OLD_SQL_MODE')).toBe(
      `SET @a = @@sql_mode, sql_mode = '${initial}'`,
    )
  })
})

it.each([
  'SET sql_mode = @nobody_saved_sql_mode',
  "SET sql_mode = 'A_MODE_TO_COME'",
  "SET sql_mode = '4'",
  'SET sql_mode = 4',
  "SET sql_mode = concat('ANSI', '_QUOTES')",
  "SET sql_mode = '', sql_mode = 'ANSI_QUOTES'",
  "/*!99999 SET sql_mode = '' */",
])('is not understood: %s', (sql) => {
  expect(followModes().follow(sql)).toBeUndefined()
})

it.each(['SET NAMES utf8', 'CREATE PROCEDURE p() SET sql_mode = 4', 'SET @a = 1'])('is passed on: %s', (sql) => {
  expect(followModes().follow(sql)).toBe(sql)
})
