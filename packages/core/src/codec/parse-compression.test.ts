import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { codecById } from './codec-by-id.js'
import { parseCompression } from './parse-compression.js'

describe('parseCompression', () => {
  it.each([
    ['zstd', 'zstd'],
    ['zstd:19', 'zstd'],
    [' ZSTD:1 ', 'zstd'],
    ['gzip', 'gzip'],
    ['gzip:9', 'gzip'],
    ['none', 'none'],
    ['true', 'zstd'],
    ['false', 'none'],
    [true, 'zstd'],
    [false, 'none'],
  ])('reads %j as %s', (value, id) => {
    expect(parseCompression(value).id).toBe(id)
  })

  it('hands the level on', async () => {
    const text = Buffer.from(randomBytes(20_000).toString('hex'))
    const size = async (value: string): Promise<number> =>
      (await readAll(parseCompression(value).compress(streamOf(text), createRunContext()))).length
    expect(await size('gzip:9')).toBeLessThan(await size('gzip:1'))
  })

  it.each(['', 'zst', 'zstd:', 'zstd:0', 'zstd:20', 'zstd:3:4', 'zstd:-1', 'gzip:10', 'none:1', 'true:3', 'zstd:3.5'])(
    'refuses %j',
    (value) => {
      expect(() => parseCompression(value)).toThrow(
        expect.toSatisfy((error) => isBackupError(error, 'config-invalid') && error.hint !== undefined),
      )
    },
  )

  it('refuses any other text with the same error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(['zstd', 'gzip', 'none']).toContain(parseCompression(text).id)
        } catch (error) {
          expect(isBackupError(error, 'config-invalid')).toBe(true)
        }
      }),
    )
  })
})

describe('codecById', () => {
  it.each(['zstd', 'gzip', 'none'])('knows %s', (id) => {
    expect(codecById(id).id).toBe(id)
  })

  it.each(['lz4', '', 'constructor'])('does not know %j', (id) => {
    expect(() => codecById(id)).toThrow(expect.toSatisfy((error) => isBackupError(error, 'manifest-invalid')))
  })
})
