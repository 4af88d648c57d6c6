import assert from 'node:assert/strict'
import type { ByteStream } from '../../byte-stream.js'
import type { RunContext } from '../../run-context.js'
import { assertCode, type CipherCase, inChunks, opened, sample, sealed } from './cipher-case.js'

/** Streams that fail, that are left, and that are aborted. */
export const streamCases: readonly CipherCase[] = [
  {
    name: 'the error of the dump passes untouched, and what had come does not decrypt as whole',
    async run(env) {
      const failure = new Error('the dump failed')
      for (const size of [0, 1, 65_536, 2_000_000]) {
        const { written, error } = await readUntilError(env.cipher.encrypt(failing(sample(size), failure), env.ctx))
        assert.equal(error, failure)
        assertCode((await opened(env.cipher, written, env.ctx)).error, ['corrupt'], `a dump of ${size} bytes`, env)
      }
    },
  },
  {
    name: 'the error of a storage passes untouched while reading',
    async run({ cipher, ctx }) {
      const failure = new Error('the storage failed')
      const encrypted = await sealed(cipher, sample(500_000), ctx)
      for (const place of [0, 10, 400_000, encrypted.length]) {
        const { error } = await readUntilError(cipher.decrypt(failing(encrypted.subarray(0, place), failure), ctx))
        assert.equal(error, failure, `after ${place} bytes`)
      }
    },
  },
  {
    name: 'a reader that stops early releases the source',
    async run({ cipher, ctx }) {
      const plain = sample(8_000_000)
      const encrypted = await sealed(cipher, plain, ctx)
      const [writing, reading] = [watched(plain), watched(encrypted)]
      for await (const _ of cipher.encrypt(writing.stream, ctx)) break
      for await (const _ of cipher.decrypt(reading.stream, ctx)) break
      const hung = new Promise<never>((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(new Error('a source was left open')), { once: true })
      })
      await Promise.race([Promise.all([writing.released, reading.released]), hung])
    },
  },
  {
    name: 'an abort rethrows its reason',
    async run({ cipher, ctx }) {
      const encrypted = await sealed(cipher, sample(8_000_000), ctx)
      for (const through of [
        (aborting: RunContext, source: ByteStream) => cipher.encrypt(source, aborting),
        (aborting: RunContext, source: ByteStream) => cipher.decrypt(source, aborting),
      ]) {
        const reason = new Error('changed my mind')
        const controller = new AbortController()
        async function* aborts(): AsyncGenerator<Uint8Array> {
          yield* inChunks(encrypted.subarray(0, 4_000_000), 100_000)
          controller.abort(reason)
          yield* inChunks(encrypted.subarray(4_000_000), 100_000)
        }
        const { error } = await readUntilError(through({ ...ctx, signal: controller.signal }, aborts()))
        assert.equal(error, reason)
      }
    },
  },
]

async function* failing(before: Buffer, failure: Error): AsyncGenerator<Uint8Array> {
  yield* inChunks(before, 100_000)
  throw failure
}

async function readUntilError(stream: ByteStream): Promise<{ written: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
  } catch (error) {
    return { written: Buffer.concat(chunks), error }
  }
  assert.fail('it was expected to fail')
}

/** A stream of bytes, and when it came to its end, one way or the other. */
function watched(bytes: Buffer): { readonly stream: ByteStream; readonly released: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  async function* watch(): AsyncGenerator<Uint8Array> {
    try {
      yield* inChunks(bytes, 100_000)
    } finally {
      resolve()
    }
  }
  return { stream: watch(), released: promise }
}
