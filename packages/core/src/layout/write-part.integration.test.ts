import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GpgHome, gpgHome } from '../../test/gpg-home.js'
import type { ByteStream } from '../byte-stream.js'
import { age } from '../cipher/age.js'
import { generateAgeKey } from '../cipher/age-key.js'
import type { Cipher } from '../cipher/cipher.js'
import { gpg } from '../cipher/gpg.js'
import { gzip } from '../codec/gzip.js'
import { none } from '../codec/none.js'
import { zstd } from '../codec/zstd.js'
import { childOutput } from '../driver/program-output.js'
import { createRunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { plainBytes, storedBytes } from './read-part.js'
import { writePart } from './write-part.js'

const ctx = createRunContext()
const ciphers = new Map<string, Cipher>()
let directory: string
let home: GpgHome
let dumped: { readonly bytes: number; readonly sha256: string }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'write-part-'))
  await writeFile(join(directory, 'dump'), randomBytes(5_345_678)) // no block is like another, the last one not full
  const { identity, recipient } = await generateAgeKey()
  home = gpgHome()
  ciphers.set('age', age({ recipients: recipient, identities: identity }))
  ciphers.set('gpg', gpg({ recipients: home.generate('ours@example.org'), homedir: home.homedir }))
  dumped = await measured(outputOf().read())
})
afterAll(async () => {
  home.remove()
  await rm(directory, { recursive: true, force: true })
})

const outputOf = (): ReturnType<typeof childOutput> =>
  childOutput({ name: 'cat', command: '/bin/cat', args: [join(directory, 'dump')] }, ctx)

async function measured(stream: ByteStream): Promise<typeof dumped> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** It takes its time over each chunk. */
function slowStorage(name: string): Storage {
  const storage = memoryStorage({ name })
  async function* slowly(body: ByteStream): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      for (let i = 0; i < 10; i++) await turn()
      yield chunk
    }
  }
  return { ...storage, put: (key, body, ...rest) => storage.put(key, slowly(body), ...rest) }
}

const codecs = { 'gzip -1': gzip({ level: 1 }), zstd: zstd({ program: false }), none: none() }

describe('what a program writes', () => {
  it.each(
    Object.keys(codecs).flatMap((codec) => ['no cipher', 'age', 'gpg'].map((cipher) => [codec, cipher] as const)),
  )('lies in each storage to the byte, with %s and %s', async (codecName, cipherName) => {
    const codec = codecs[codecName as keyof typeof codecs]
    const cipher = ciphers.get(cipherName)
    const storages = [memoryStorage({ name: 'disk' }), slowStorage('offsite')]
    const plan = { base: 'shop/backup', storages, minCopies: 2, codec, stallTimeoutMs: 60_000, metadata: {} }
    const parts = ['one', 'other'].map((name) => ({
      ...{ name, mediaType: 'text/plain' },
      take: () => ({ kind: 'process', output: outputOf() }) as const,
    }))
    const written = await Promise.all(
      parts.map((part) => writePart(part, { ...plan, ...(cipher && { cipher }) }, storages, ctx)),
    )
    for (const { describe, copies } of written) {
      const part = describe()
      expect(copies.map(({ status }) => status)).toEqual(['complete', 'complete'])
      expect(part).toMatchObject({ plainBytes: dumped.bytes, plainSha256: dumped.sha256 })
      for (const storage of storages) {
        const plain = plainBytes(part, storedBytes(part, storage, 'verify', ctx), cipher, ctx)
        expect(await measured(plain.stream)).toEqual(dumped)
      }
    }
  })
})
