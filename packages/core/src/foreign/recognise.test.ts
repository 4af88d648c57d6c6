import { describe, expect, it } from 'vitest'
import { strangerOf, wrappingOf } from './recognise.js'

const bytes = (...values: number[]): Buffer => Buffer.from([...values, ...Array.from({ length: 20 }, () => 0)])

describe('what a file is wrapped in', () => {
  it.each<[string, Buffer, string | undefined]>([
    ['a session key for somebody, old format', bytes(0x85, 0x02, 0x0c, 0x03), 'gpg'],
    ['the same with a length of one byte', bytes(0x84, 0x5e, 0x03), 'gpg'],
    ['the same, new format, short', bytes(0xc1, 0x5e, 0x03), 'gpg'],
    ['the same, new format, longer', bytes(0xc1, 0xc5, 0x00, 0x06), 'gpg'],
    ['the same, new format, longest', bytes(0xc1, 0xff, 0, 0, 1, 0, 0x03), 'gpg'],
    ['a passphrase', bytes(0x8c, 0x0d, 0x04), 'gpg'],
    ['a passphrase, newer', bytes(0xc3, 0x2e, 0x05), 'gpg'],
    ['a marker', bytes(0xca, 0x03, 0x50, 0x47, 0x50), 'gpg'],
    ['a session key of no known version', bytes(0x85, 0x02, 0x0c, 0x09), undefined],
    ['a passphrase of no known version', bytes(0x8c, 0x0d, 0x09), undefined],
    ['another packet', bytes(0x99, 0x01, 0x0d, 0x04), undefined],
    ['text', Buffer.from('-- PostgreSQL'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
    ['a skippable frame of zstd', bytes(0x5e, 0x2a, 0x4d, 0x18), 'zstd'],
    ['lz4', bytes(0x04, 0x22, 0x4d, 0x18), undefined],
    ['armored gpg', Buffer.from('\n-----BEGIN PGP MESSAGE-----\n'), 'gpg'],
  ])('%s', (_, head, expected) => {
    expect(wrappingOf(head)).toBe(expected)
  })
})

it('what is read nowhere here is told with what to do', () => {
  expect(strangerOf(bytes(0x04, 0x22, 0x4d, 0x18))).toMatchObject({ is: 'compressed with lz4' })
  expect(strangerOf(bytes(0xfe, 0xff))).toMatchObject({ is: expect.stringContaining('UTF-16') })
  expect(strangerOf(Buffer.from('plain text'))).toBeUndefined()
})
