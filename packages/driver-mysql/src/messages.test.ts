import { createRunContext } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { collectMessages, lastWords } from './messages.js'

function heard(...lines: readonly string[]): { logged: string[]; warnings: readonly string[]; stages: string[] } {
  const logged: string[] = []
  const to =
    (level: string) =>
    (line: string): void =>
      void logged.push(`${level}: ${line}`)
  const log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') }
  const stages: string[] = []
  const messages = collectMessages('mysqldump', createRunContext({ log }), (line) => stages.push(line))
  for (const line of lines) messages.onLine(line)
  return { logged, warnings: messages.warnings, stages }
}

describe('collectMessages', () => {
  it('keeps warnings, and logs everything at its level', () => {
    expect(heard('Warning: column statistics', 'mysqldump: Error 1: no', 'a word')).toEqual({
      logged: ['warn: Warning: column statistics', 'error: mysqldump: Error 1: no', 'info: a word'],
      warnings: ['Warning: column statistics'],
      stages: [],
    })
  })

  it('makes no warning of what helps nobody', () => {
    const line = '[Warning] Using a password on the command line interface can be insecure.'
    expect(heard(line)).toMatchObject({ logged: [`debug: ${line}`], warnings: [] })
  })

  it('logs no values of rows', () => {
    const first = "ERROR 1062 (23000) at line 2: Duplicate entry 'a secret"
    expect(heard(first, "of two lines' for key 'k'", 'mariadb: the end').logged).toEqual([
      "error: ERROR 1062 (23000) at line 2: Duplicate entry '…'",
      'info: mariadb: the end',
    ])
  })

  it('logs no rows of the statement that failed', () => {
    const line = '-'.repeat(14)
    const error = 'ERROR 1136 (21S01) at line 2: Column count does not match'
    expect(heard(line, "INSERT INTO `t` VALUES (1,'a", "secret'),(2,'more')", line, error).logged).toEqual([
      `info: ${line}`,
      'info: INSERT INTO `t` …',
      `error: ${error}`,
    ])
  })

  it('passes on what the program is about to do, and does not log it', () => {
    const line = '-- Retrieving table structure for table warning...'
    expect(heard(line)).toEqual({ logged: [], warnings: [], stages: [line] })
  })
})

describe('lastWords', () => {
  it('are not those about stages', () => {
    expect(lastWords('-- Connecting to h...\nmysqldump: Got error: 1045\n-- Disconnecting from h...')).toBe(
      'mysqldump: Got error: 1045',
    )
  })

  it('are not the statement that failed, of which the beginning may be lost', () => {
    const line = '-'.repeat(14)
    expect(lastWords(`a secret'),\n('more')\n${line}\nERROR 1062 (23000) at line 2: no`)).toBe(
      'ERROR 1062 (23000) at line 2: no',
    )
  })
})
