import assert from 'node:assert/strict'
import { isBackupError } from '../../backup-error.js'
import { assertCode, type CipherCase, type CipherCaseEnv, opened, sample, sealed } from './cipher-case.js'

const size = 300_000

/** What was changed in any way is never taken for whole. */
export const damageCases: readonly CipherCase[] = [
  {
    name: 'a flipped bit is noticed',
    async run(env) {
      await eachDamage(env, (encrypted, place) => {
        encrypted.writeUInt8(encrypted.readUInt8(place) ^ (1 << (place % 8)), place)
        return encrypted
      })
    },
  },
  {
    name: 'a stream that was cut off is noticed',
    async run(env) {
      await eachDamage(env, (encrypted, place) => encrypted.subarray(0, place))
    },
  },
  {
    name: 'bytes that are missing in the middle are noticed',
    async run(env) {
      await eachDamage(env, (encrypted, place) =>
        Buffer.concat([encrypted.subarray(0, place), encrypted.subarray(place + 1 + (place % 3) * 65_551)]),
      )
    },
  },
  {
    name: 'what follows the end is noticed',
    async run(env) {
      const plain = sample(size)
      const encrypted = await sealed(env.cipher, plain, env.ctx)
      for (const more of [Buffer.alloc(1), Buffer.from('more'), sample(70_000), encrypted]) {
        const { error } = await opened(env.cipher, Buffer.concat([encrypted, more]), env.ctx)
        assertCode(error, ['corrupt'], `${more.length} bytes more`, env)
      }
    },
  },
  {
    name: 'blocks that changed places are noticed',
    async run(env) {
      for (const block of [65_536, 65_552, 16_384]) {
        const encrypted = await sealed(env.cipher, sample(size), env.ctx)
        const from = encrypted.length - 2 * block - 40_000
        const [first, second] = [from, from + block].map((at) => encrypted.subarray(at, at + block))
        assert.ok(first && second)
        const swapped = Buffer.concat([
          encrypted.subarray(0, from),
          second,
          first,
          encrypted.subarray(from + 2 * block),
        ])
        assertCode((await opened(env.cipher, swapped, env.ctx)).error, ['corrupt'], `blocks of ${block}`, env)
      }
    },
  },
  {
    name: 'what is not encrypted at all is noticed',
    async run(env) {
      for (const foreign of [Buffer.alloc(0), Buffer.from('PGDMP'), sample(100_000)]) {
        const { plain, error } = await opened(env.cipher, foreign, env.ctx)
        assertCode(error, ['corrupt', 'wrong-key'], `${foreign.length} foreign bytes`, env)
        assert.equal(plain.length, 0)
      }
    },
  },
]

/** Does damage at places spread over the whole; each must be noticed. */
async function eachDamage(env: CipherCaseEnv, damage: (encrypted: Buffer, place: number) => Buffer): Promise<void> {
  const { cipher, ctx, probes = 64 } = env
  const plain = sample(size)
  const encrypted = await sealed(cipher, plain, ctx)
  for (let probe = 0; probe < probes; probe++) {
    // The first bytes, the last bytes, and what is between.
    const spread = [probe, encrypted.length - 1 - probe, Math.floor((probe / probes) * encrypted.length)]
    const place = spread[probe % 3] ?? 0
    const { error } = await opened(cipher, damage(Buffer.from(encrypted), place), ctx)
    const inTheHead = place < 4_096
    assertCode(error, inTheHead ? ['corrupt', 'wrong-key'] : ['corrupt'], `at ${place} of ${encrypted.length}`, env)
  }
  assert.ok(!isBackupError((await opened(cipher, encrypted, ctx)).error))
}
