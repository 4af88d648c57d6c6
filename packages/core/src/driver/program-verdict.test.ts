import { describe, expect, it } from 'vitest'
import { type JudgedProgram, judgeProgram } from './program-verdict.js'

const program: JudgedProgram = {
  name: 'pg_dump',
  failure: 'restore-failed',
  warnings: [],
  meaningOf: (stderr) =>
    stderr.includes('lost')
      ? { code: 'dump-failed', retryable: true }
      : stderr.includes('password')
        ? { code: 'source-denied', hint: 'Check it.', message: 'The password is wrong' }
        : undefined,
}
const exit = { code: 1, signal: null, stderrTail: '' }

describe('judgeProgram', () => {
  it('leaves a good end alone, and what the exit code says by itself', () => {
    expect(judgeProgram({ ...exit, code: 0 }, { ...program, warnings: ['w'] })).toBeUndefined()
    expect(judgeProgram({ ...exit, stderrTail: 'whatever' }, program)).toBeUndefined()
    expect(judgeProgram({ ...exit, code: null, signal: 'SIGKILL', stderrTail: 'password' }, program)).toBeUndefined()
  })

  it('takes a warning for a failure where that is wanted', () => {
    const strict = { ...program, warnings: ['circular', 'more'], onWarning: 'fail' } as const
    expect(judgeProgram({ ...exit, code: 0 }, strict)).toMatchObject({
      code: 'restore-failed',
      message: 'pg_dump warned: circular',
    })
  })

  it('says what the last words mean, in better words where there are any', () => {
    expect(judgeProgram({ ...exit, stderrTail: 'connection lost' }, program)).toMatchObject({
      code: 'restore-failed',
      retryable: true,
      message: 'pg_dump ended with exit code 1: connection lost',
    })
    expect(judgeProgram({ ...exit, stderrTail: 'password' }, program)).toMatchObject({
      code: 'source-denied',
      message: 'The password is wrong',
      hint: 'Check it.',
    })
  })

  it('shows nothing of what must not be shown, however the program ended', () => {
    const discreet = { ...program, shown: (words: string) => words.replace(/row .*/, 'row …') }
    const stderrTail = 'bad row 1, secret'
    expect(judgeProgram({ ...exit, stderrTail }, discreet)?.message).toBe('pg_dump ended with exit code 1: bad row …')
    expect(judgeProgram({ code: null, signal: 'SIGTERM', stderrTail }, discreet)).toMatchObject({
      message: 'pg_dump was ended by SIGTERM: bad row …',
      retryable: true,
    })
  })
})
