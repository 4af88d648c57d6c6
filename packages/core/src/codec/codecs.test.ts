import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import type { Codec } from './codec.js'
import { gzip } from './gzip.js'
import { none } from './none.js'
import { zstd } from './zstd.js'

const ctx = createRunContext()
const isCorrupt = (error: unknown): boolean => isBackupError(error, 'corrupt')
const filter = (command: string, args: string[], input: Uint8Array): Buffer =>
  execFileSync(command, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'] })

/** Bytes that compress about as well as a dump does. */
function sample(size: number): Buffer {
  const noise = randomBytes(size / 8)
  return Buffer.concat([noise, noise, Buffer.alloc(size - 2 * noise.length, 'a line of text\n')])
}

/** The same bytes, cut as `cuts` say. */
async function* cutAt(whole: Uint8Array, cuts: readonly number[]): ByteStream & AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b)
  for (const [i, start] of [0, ...places].entries()) yield whole.subarray(start, places[i] ?? whole.length)
}

const compressed = (codec: Codec, plain: Uint8Array): Promise<Buffer> => readAll(codec.compress(streamOf(plain), ctx))
const plainOf = (codec: Codec, ...chunks: Uint8Array[]): Promise<Buffer> =>
  readAll(codec.decompress(streamOf(...chunks), ctx))

const codecs = [
  { codec: zstd({ program: false }), program: 'zstd' },
  { codec: gzip(), program: 'gzip' },
]

describe.each(codecs)('$codec.id', ({ codec, program }) => {
  it('gives back what it was given, however the bytes are cut', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.array(fc.nat(), { maxLength: 20 }), async (given, cuts) => {
        const stored = await readAll(codec.compress(streamOf(...given), ctx))
        expect(await readAll(codec.decompress(cutAt(stored, cuts), ctx))).toEqual(Buffer.concat(given))
      }),
    )
  })

  it('carries megabytes both ways', async () => {
    const plain = sample(9_000_000)
    const stored = await readAll(codec.compress(cutAt(plain, [1, 70_000, 3_000_000, 3_000_001]), ctx))
    expect(stored.length).toBeLessThan(plain.length / 2)
    expect((await plainOf(codec, stored)).equals(plain)).toBe(true)
  })

  it('understands the program, and the program understands it', async () => {
    const plain = sample(3_000_000)
    expect((await plainOf(codec, filter(program, ['-c'], plain))).equals(plain)).toBe(true)
    expect(filter(program, ['-dc'], await compressed(codec, plain)).equals(plain)).toBe(true)
    expect(filter(program, ['-dc'], await compressed(codec, Buffer.alloc(0)))).toHaveLength(0)
  })

  it('decodes every frame of a file that was put together from several, however it is cut', async () => {
    const plains = [sample(1_000), Buffer.alloc(0), sample(200_000), Buffer.from('x')]
    const file = Buffer.concat(plains.map((plain) => filter(program, ['-c'], plain)))
    expect((await plainOf(codec, file)).equals(Buffer.concat(plains))).toBe(true)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 20 }), async (cuts) => {
        const decoded = await readAll(codec.decompress(cutAt(file, cuts), ctx))
        expect(decoded.equals(Buffer.concat(plains))).toBe(true)
      }),
    )
  })

  it('notices every truncation', async () => {
    const stored = await compressed(codec, sample(400))
    for (let size = 0; size < stored.length; size++) {
      await expect(plainOf(codec, stored.subarray(0, size)), `cut to ${size}`).rejects.toSatisfy(isCorrupt)
    }
  })

  it('notices a truncation in the second frame', async () => {
    const stored = await compressed(codec, sample(40))
    const file = Buffer.concat([stored, stored])
    for (let size = stored.length + 1; size < file.length; size++) {
      await expect(plainOf(codec, file.subarray(0, size)), `cut to ${size}`).rejects.toSatisfy(isCorrupt)
    }
  })

  it('never gives other bytes for a file with a flipped bit', async () => {
    const plain = sample(400)
    const stored = await compressed(codec, plain)
    let noticed = 0
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const damaged = Buffer.from(stored)
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const decoded = await plainOf(codec, damaged).catch((error) => error)
      if (Buffer.isBuffer(decoded)) expect(decoded.equals(plain), `bit ${bit}`).toBe(true)
      else noticed += Number(isCorrupt(decoded))
    }
    // what goes unnoticed are bits that mean nothing, such as the time in a gzip header
    expect(noticed).toBeGreaterThan(stored.length * 8 * 0.8)
  })

  it.each([
    ['garbage', Buffer.from('garbage')],
    ['one byte', Buffer.from([1])],
    ['zeros', Buffer.alloc(512)],
  ])('refuses %s after the end', async (_, after) => {
    const stored = await compressed(codec, sample(400))
    await expect(plainOf(codec, Buffer.concat([stored, after]))).rejects.toSatisfy(isCorrupt)
    await expect(plainOf(codec, stored, after)).rejects.toSatisfy(isCorrupt)
    await expect(plainOf(codec, stored, after, after)).rejects.toSatisfy(isCorrupt)
  })

  it('refuses what is no such file', async () => {
    await expect(plainOf(codec, Buffer.from('PGDMP and so on'))).rejects.toSatisfy(isCorrupt)
    await expect(plainOf(codec)).rejects.toSatisfy(isCorrupt)
  })

  it.each(['compress', 'decompress'] as const)('%s throws what its source throws, untouched', async (way) => {
    const stored = await compressed(codec, sample(4_000))
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield stored.subarray(0, 1_000)
      throw 'a reason'
    }
    await expect(readAll(codec[way](broken(), ctx))).rejects.toBe('a reason')
  })

  it.each(['compress', 'decompress'] as const)('%s gives its source back when the reader stops', async (way) => {
    const chunk = await compressed(codec, randomBytes(3_000_000))
    let given = 0
    const returned = new Promise<void>((resolve) => {
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          for (; ; given++) yield chunk
        } finally {
          resolve()
        }
      }
      void (async () => {
        for await (const _ of codec[way](source(), ctx)) break
      })()
    })
    await returned
    expect(given).toBeLessThan(20) // back pressure: it did not run ahead
  })

  it('does not wait for a source that hangs when the reader stops', async () => {
    const first = await compressed(codec, randomBytes(3_000_000))
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield first
      await new Promise(() => {})
    }
    for await (const chunk of codec.decompress(hanging(), ctx)) {
      expect(chunk.byteLength).toBeGreaterThan(0)
      break
    }
  })
})

describe('zstd', () => {
  it('writes one frame with a content checksum', async () => {
    const stored = await compressed(zstd({ program: false }), sample(5_000_000))
    expect(stored.readUInt32LE()).toBe(0xfd2fb528)
    expect(stored.readUInt8(4) & 0b100).toBe(0b100)
    expect(filter('zstd', ['-dc'], stored)).toHaveLength(5_000_000)
  })

  it('steps over skippable frames', async () => {
    const codec = zstd()
    const plain = sample(400)
    const skippable = Buffer.from('502a4d180500000068656c6c6f', 'hex')
    const empty = Buffer.from('5f2a4d1800000000', 'hex')
    const stored = await compressed(codec, plain)
    const file = Buffer.concat([skippable, stored, empty, stored, skippable])
    expect((await plainOf(codec, file)).equals(Buffer.concat([plain, plain]))).toBe(true)
    await expect(plainOf(codec, file.subarray(0, -1))).rejects.toSatisfy(isCorrupt)
  })

  it('reads frames without a checksum, with a content size, and of repeated bytes', async () => {
    const codec = zstd()
    for (const plain of [Buffer.alloc(10), Buffer.alloc(300, 'a'), Buffer.alloc(70_000, 'ab'), sample(3_000_000)]) {
      for (const args of [['--no-check'], ['--check'], ['--no-check', '-19']]) {
        const stored = filter('zstd', ['-c', `--stream-size=${plain.length}`, ...args], plain)
        expect((await plainOf(codec, stored)).equals(plain)).toBe(true)
      }
    }
  })

  it('refuses a block of a reserved type', async () => {
    const stored = await compressed(zstd(), Buffer.alloc(0))
    stored.writeUInt8(stored.readUInt8(6) | 0b110, 6)
    await expect(plainOf(zstd(), stored)).rejects.toThrow('no known type')
  })

  it.each([0, 20, 2.5, Number.NaN])('has no level %d', (level) => {
    expect(() => zstd({ level })).toThrow(expect.toSatisfy((error) => isBackupError(error, 'config-invalid')))
  })

  it('compresses better at a higher level', async () => {
    const plain = Buffer.from(
      Array.from({ length: 20_000 }, (_, i) => `${i}\tcustomer ${(i * 7919) % 1000}\t${i % 7}\n`).join(''),
    )
    const [fast, small] = await Promise.all([1, 19].map((level) => compressed(zstd({ level, program: false }), plain)))
    expect(small!.length).toBeLessThan(fast!.length)
  })
})

describe('gzip', () => {
  it.each([0, 10, 1.5])('has no level %d', (level) => {
    expect(() => gzip({ level })).toThrow(expect.toSatisfy((error) => isBackupError(error, 'config-invalid')))
  })

  it('has no need of a program', () => {
    expect(gzip()).not.toHaveProperty('compressProcess')
  })
})

describe('none', () => {
  it('passes bytes as they are', async () => {
    const chunk = Buffer.from('abc')
    expect(await compressed(none(), chunk)).toEqual(chunk)
    expect(await plainOf(none(), chunk)).toEqual(chunk)
  })
})
