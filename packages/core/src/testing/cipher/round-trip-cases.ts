import assert from 'node:assert/strict'
import { readAll, streamOf } from '../../byte-stream.js'
import { assertCode, assertNoSecrets, type CipherCase, inChunks, opened, sample, sealed } from './cipher-case.js'

const KiB64 = 64 * 1024
const sizes = [0, 1, 15, 16, 4_095, KiB64 - 1, KiB64, KiB64 + 1, 2 * KiB64, 16 * KiB64, 16 * KiB64 + 1, 3_000_001]

/** What went in comes out, and only for those who may read. */
export const roundTripCases: readonly CipherCase[] = [
  {
    name: 'round trip: every size, also none, full blocks and what is around them',
    async run({ cipher, ctx }) {
      for (const size of sizes) {
        const plain = sample(size)
        const { plain: back, error } = await opened(cipher, await sealed(cipher, plain, ctx), ctx)
        if (error) throw error
        assert.ok(back.equals(plain), `${size} bytes came back as ${back.length} others`)
      }
    },
  },
  {
    name: 'round trip: chunks of any size, also of none',
    async run({ cipher, ctx }) {
      const plain = sample(300_000)
      const encrypted = await readAll(
        cipher.encrypt(streamOf(Buffer.alloc(0), plain.subarray(0, 7), Buffer.alloc(0), plain.subarray(7)), ctx),
      )
      for (const size of [1_009, 65_536, encrypted.length]) {
        const back = await readAll(cipher.decrypt(inChunks(encrypted, size), ctx))
        assert.ok(back.equals(plain), `in chunks of ${size}`)
      }
      const head = inChunks(encrypted.subarray(0, 500), 1)
      async function* byteByByte(): AsyncGenerator<Uint8Array> {
        yield* head
        yield encrypted.subarray(500)
      }
      assert.ok((await readAll(cipher.decrypt(byteByByte(), ctx))).equals(plain), 'byte by byte')
    },
  },
  {
    name: 'the same bytes are encrypted differently each time, and cannot be seen in it',
    async run({ cipher, ctx }) {
      const plain = Buffer.alloc(100_000, 'a secret in the dump ')
      const [first, second] = [await sealed(cipher, plain, ctx), await sealed(cipher, plain, ctx)]
      assert.ok(!first.equals(second))
      assert.ok(!first.includes('a secret'))
    },
  },
  {
    name: 'a wrong key is wrong-key, before the first byte',
    async run(env) {
      const encrypted = await sealed(env.cipher, sample(200_000), env.ctx)
      const { plain, error } = await opened(env.stranger, encrypted, env.ctx)
      assertCode(error, ['wrong-key'], 'another key', env)
      assert.equal(plain.length, 0)
    },
  },
  {
    name: 'without a key it can write and never read, and says so',
    async run(env) {
      const { cipher, writeOnly, ctx } = env
      assert.equal(cipher.canDecrypt, true)
      if (!writeOnly) return
      assert.equal(writeOnly.canDecrypt, false)
      const plain = sample(100_000)
      const encrypted = await sealed(writeOnly, plain, ctx)
      assert.ok((await opened(cipher, encrypted, ctx)).plain.equals(plain))
      const refused = await opened(writeOnly, encrypted, ctx)
      assertCode(refused.error, ['wrong-key'], 'no key', env)
      assert.equal(refused.plain.length, 0)
    },
  },
  {
    name: 'is named for the manifest, without a secret',
    async run(env) {
      const { cipher } = env
      assert.match(cipher.id, /^[a-z0-9-]+$/)
      assert.match(cipher.extension, /^\.[a-z0-9]+$/)
      assert.ok(cipher.keyIds.length > 0 && cipher.decryptCommand !== '')
      assertNoSecrets(cipher, env)
    },
  },
]
