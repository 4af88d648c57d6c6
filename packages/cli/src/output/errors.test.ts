import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { codeOf, describeError, errorDocument } from './errors.js'

const known = new BackupError('tool-missing', { message: 'pg_dump was not found', hint: 'Install it.' })

describe('describeError', () => {
  it('says what failed and what to do, without a stack', () => {
    expect(describeError(known)).toBe('Error: pg_dump was not found\n  Install it.')
  })

  it('shows what is beneath when asked', () => {
    const error = new BackupError('dump-failed', { message: 'outer', cause: new Error('inner') })
    const text = describeError(error, undefined, true)
    expect(text).toContain('errors.test.ts')
    expect(text).toContain('Caused by: Error: inner')
  })

  it('owns up to what was not foreseen', () => {
    expect(describeError(new TypeError('x is undefined'))).toMatch(/^Error: x is undefined\n.*--verbose/)
    expect(describeError('just text')).toMatch(/^Error: just text\n/)
    expect(describeError(new RangeError())).toMatch(/^Error: RangeError\n/)
  })
})

describe('errorDocument', () => {
  it('has code, message and hint', () => {
    expect(errorDocument(known)).toEqual({
      error: { code: 'tool-missing', message: 'pg_dump was not found', hint: 'Install it.' },
    })
    expect(errorDocument(new BackupError('busy', { message: 'm' }))).toEqual({ error: { code: 'busy', message: 'm' } })
    expect(errorDocument(new Error('odd')).error.code).toBe('internal')
  })
})

describe('codeOf', () => {
  it('is the code of a BackupError alone', () => {
    expect([codeOf(known), codeOf(new Error('x')), codeOf('x')]).toEqual(['tool-missing', undefined, undefined])
  })
})
