import { describe, expect, it, vi } from 'vitest'
import { BackupError, isBackupError, messageOf } from './backup-error.js'
import { endAfter, readAll, streamOf } from './byte-stream.js'
import { closest } from './closest.js'
import { parseDuration } from './duration.js'
import { createRunContext, silentLogger, systemClock } from './run-context.js'

describe('the system clock', () => {
  it('sleeps, and wakes with the reason of an abort', async () => {
    const controller = new AbortController()
    const before = systemClock.monotonic()
    await systemClock.sleep(5, controller.signal)
    expect(systemClock.monotonic()).toBeGreaterThan(before)
    expect(systemClock.now()).toBeInstanceOf(Date)
    const reason = new Error('enough')
    const sleeping = systemClock.sleep(60_000, controller.signal)
    controller.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    for (const ms of [0, 1]) await expect(systemClock.sleep(ms, controller.signal)).rejects.toBe(reason)
  })
})

describe('a sleep of more than 24.8 days', () => {
  it('is as long as it says', async () => {
    vi.useFakeTimers()
    try {
      let awake = false
      const sleeping = systemClock.sleep(30 * 86_400_000, new AbortController().signal).then(() => {
        awake = true
      })
      await vi.advanceTimersByTimeAsync(29 * 86_400_000)
      expect(awake).toBe(false)
      await vi.advanceTimersByTimeAsync(86_400_000)
      await sleeping
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a run context', () => {
  it('is silent and endless unless told otherwise', () => {
    const ctx = createRunContext()
    expect(ctx.signal.aborted).toBe(false)
    expect(ctx.clock).toBe(systemClock)
    for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(silentLogger[level]('x')).toBeUndefined()
    expect(ctx.report({ type: 'object', stage: 'dump', name: 'x' })).toBeUndefined()
  })
})

describe('a listener that throws', () => {
  it('ends nothing, and is heard no more', () => {
    let calls = 0
    const errors: string[] = []
    const report = (): never => {
      calls++
      throw new Error('mine')
    }
    const ctx = createRunContext({ report, log: { ...silentLogger, error: (line) => errors.push(line) } })
    for (let n = 0; n < 3; n++) ctx.report({ type: 'object', stage: 'dump', name: 'x' })
    expect({ calls, errors }).toEqual({ calls: 1, errors: [expect.stringContaining('mine')] })
  })
})

describe('byte streams', () => {
  it('are read whole, within a limit', async () => {
    expect((await readAll(streamOf(Buffer.from('ab'), Buffer.from('c')))).toString()).toBe('abc')
    await expect(readAll(streamOf(Buffer.from('abc')), 2)).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('end only after their condition', async () => {
    const failure = new Error('exit 1')
    expect((await readAll(endAfter(streamOf(Buffer.from('x')), Promise.resolve()))).toString()).toBe('x')
    await expect(readAll(endAfter(streamOf(Buffer.from('x')), Promise.reject(failure)))).rejects.toBe(failure)
  })
})

describe('errors', () => {
  it('say code, hint and whether to try again', () => {
    const error = new BackupError('unavailable', { message: 'no answer', hint: 'wait', retryable: true, cause: 'x' })
    expect(error).toMatchObject({ name: 'BackupError', code: 'unavailable', hint: 'wait', retryable: true, cause: 'x' })
    expect(new BackupError('corrupt', { message: 'x' })).toMatchObject({ retryable: false, hint: undefined })
    expect(isBackupError(error)).toBe(true)
    expect(isBackupError(error, 'unavailable')).toBe(true)
    expect(isBackupError(error, 'corrupt')).toBe(false)
    expect(isBackupError(new Error('x'))).toBe(false)
    expect(messageOf(error)).toBe('no answer')
    expect(messageOf('text')).toBe('text')
  })
})

describe('suggestions', () => {
  it('name what was probably meant, else what there is', () => {
    expect(closest('storags', ['storages', 'jobs'])).toBe(' (did you mean "storages"?)')
    expect(closest('xyz', ['storages', 'jobs'])).toBe(' (known: storages, jobs)')
    expect(closest('xyz', [])).toBe('')
  })
})

describe('spans of time', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['5', undefined],
    ['-5s', undefined],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })
})
