import { afterEach, describe, expect, it, vi } from 'vitest'
import { isWithoutTls, rememberWithoutTls, saysNoTls } from './without-tls.js'

afterEach(() => {
  vi.useRealTimers()
})

describe('a server without TLS', () => {
  it('is remembered by its place, for a minute', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const plain = { host: 'plain.example', port: 5432 }
    expect(isWithoutTls(plain)).toBe(false)
    rememberWithoutTls(plain)
    expect(isWithoutTls(plain)).toBe(true)
    expect(isWithoutTls({ ...plain, port: 5433 })).toBe(false)
    vi.advanceTimersByTime(60_000)
    expect(isWithoutTls(plain)).toBe(false)
  })

  it('is told from any other failure', () => {
    expect(saysNoTls(new Error('The server does not support SSL connections'))).toBe(true)
    expect(saysNoTls(new Error('self-signed certificate'))).toBe(false)
  })
})
