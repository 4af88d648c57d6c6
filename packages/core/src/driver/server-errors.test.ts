import { expect, it } from 'vitest'
import { serverAway, socketMeaning } from './server-errors.js'

it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ENOENT'])('%s: no answer', (code) => {
  expect(socketMeaning(code, 'Check sslmode.')).toBe(serverAway)
  expect(serverAway).toMatchObject({ code: 'source-unreachable', retryable: true })
})

it.each(['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'EPROTO'])('%s: no trust, also not later', (code) => {
  expect(socketMeaning(code, 'Check sslmode.')).toEqual({ code: 'source-unreachable', hint: 'Check sslmode.' })
})

it.each(['', '42P01', 'ER_PARSE_ERROR', 'ERR_INVALID_ARG_TYPE'])('%j: something else', (code) => {
  expect(socketMeaning(code, 'Check sslmode.')).toBeUndefined()
})
