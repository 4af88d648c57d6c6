import { createRunContext } from '@holdfast/core'
import { expect, it } from 'vitest'
import { collectMessages } from './messages.js'

it('keeps warnings with their details, and logs each line at its level', () => {
  const logged: string[] = []
  const log = {
    debug: (line: string) => void logged.push(`debug ${line}`),
    info: (line: string) => void logged.push(`info ${line}`),
    warn: (line: string) => void logged.push(`warn ${line}`),
    error: (line: string) => void logged.push(`error ${line}`),
  }
  const messages = collectMessages('pg_dump', createRunContext({ log }))
  const lines = [
    ['warn', 'pg_dump: warning: there are circular foreign-key constraints on this table:'],
    ['warn', 'pg_dump: detail: loop_a'],
    ['warn', 'pg_dump: hint: Consider a full dump.'],
    ['info', 'pg_dump: reading schemas'],
    ['info', 'pg_dump: detail: of nothing'],
    ['warn', 'psql:<stdin>:3: WARNING:  there is no transaction in progress'],
    ['error', 'pg_dump: error: query failed: ERROR:  permission denied'],
    ['error', 'psql:<stdin>:4: ERROR:  syntax error'],
  ] as const
  for (const [, line] of lines) messages.onLine(line)
  expect(logged).toEqual(lines.map(([level, line]) => `${level} ${line}`))
  expect(messages.warnings).toEqual(lines.filter(([level]) => level === 'warn').map(([, line]) => line))
})
