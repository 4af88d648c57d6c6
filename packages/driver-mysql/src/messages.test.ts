import { createRunContext } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { collectMessages, withoutStages } from './messages.js'

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

  it('passes on what the program is about to do, and does not log it', () => {
    const line = '-- Retrieving table structure for table warning...'
    expect(heard(line)).toEqual({ logged: [], warnings: [], stages: [line] })
  })
})

it('the last words of a program are those that are not about its stages', () => {
  expect(withoutStages('-- Connecting to h...\nmysqldump: Got error: 1045\n-- Disconnecting from h...')).toBe(
    'mysqldump: Got error: 1045',
  )
})
