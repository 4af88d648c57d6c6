import { readdirSync, readFileSync } from 'node:fs'
import { cipherContract } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GpgHome, gpgHome } from '../../test/gpg-home.js'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import type { Cipher } from './cipher.js'
import { gpg } from './gpg.js'

const ctx = createRunContext()
/** Each costs a process; `npm run test:slow` has 1,000. */
const damages = Number(process.env.HOLDFAST_GPG_DAMAGES ?? 100)
const plain = Buffer.from('a dump\n'.repeat(50_000))

let ours: GpgHome
let writers: GpgHome
let theirs: GpgHome
let fingerprint: string

beforeAll(() => {
  ours = gpgHome()
  writers = gpgHome()
  theirs = gpgHome()
  fingerprint = ours.generate('ours@example.org')
  ours.generate('locked@example.org', 'open sesame')
  theirs.generate('theirs@example.org')
  for (const email of ['ours@example.org', 'locked@example.org']) writers.import(ours.exportPublic(email))
  writers.import(theirs.exportPublic('theirs@example.org'))
})
afterAll(() => {
  for (const home of [ours, writers, theirs]) home.remove()
})

/** Of a process that may be gone meanwhile. */
function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const seal = (cipher: Cipher, bytes: Buffer = plain): Promise<Buffer> => readAll(cipher.encrypt(streamOf(bytes), ctx))
const open = (cipher: Cipher, bytes: Buffer): Promise<Buffer> => readAll(cipher.decrypt(streamOf(bytes), ctx))

describe('the cipher contract', () => {
  it.each(cipherContract.map((one) => [one.name, one] as const))('%s', async (_name, { run }) => {
    const recipients = [fingerprint]
    const env = {
      cipher: gpg({ recipients, homedir: ours.homedir }),
      writeOnly: gpg({ recipients, homedir: writers.homedir }),
      stranger: gpg({ homedir: theirs.homedir }),
      secrets: [],
      ctx,
    }
    await expect(run(env)).resolves.toBeUndefined()
  })
})

describe('gpg', () => {
  it('writes for several recipients, each of whom reads it with the gpg program', async () => {
    const recipients = ['ours@example.org', 'theirs@example.org']
    const encrypted = await seal(gpg({ recipients, homedir: writers.homedir }))
    expect(ours.run(['--decrypt'], encrypted)).toEqual(plain)
    expect(theirs.run(['--decrypt'], encrypted)).toEqual(plain)
    expect(await open(gpg({ homedir: theirs.homedir }), encrypted)).toEqual(plain)
  })

  it('reads what the gpg program wrote', async () => {
    const encrypted = writers.run(['--trust-model', 'always', '-r', 'ours@example.org', '--encrypt'], plain)
    expect(await open(gpg({ homedir: ours.homedir }), encrypted)).toEqual(plain)
  })

  it('keeps a passphrase out of the arguments and the environment of every process', async () => {
    const locked = gpgHome()
    const { homedir } = locked
    const passphrase = 'a canary of a passphrase'
    locked.generate('canary@example.org', passphrase)
    const encrypted = await seal(gpg({ recipients: 'canary@example.org', homedir }))
    let polls = 0
    const found: string[] = []
    const watch = setInterval(() => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const [argv = '', environment = ''] = ['cmdline', 'environ'].map((file) => readQuietly(`/proc/${pid}/${file}`))
        if (argv.includes('--decrypt') && argv.includes(homedir)) polls++
        if (`${argv}${environment}`.includes(passphrase)) found.push(argv)
      }
    }, 1)
    try {
      for (let tries = 0; polls < 20 && tries < 50; tries++) {
        locked.forget()
        expect((await open(gpg({ homedir, passphrase }), encrypted)).equals(plain)).toBe(true)
      }
    } finally {
      clearInterval(watch)
      locked.remove()
    }
    expect(polls).toBeGreaterThanOrEqual(20)
    expect(found).toEqual([])
  })

  it('opens a key under a passphrase by descriptor, and says when it is wrong or missing', async () => {
    const encrypted = await seal(gpg({ recipients: 'locked@example.org', homedir: writers.homedir }))
    const homedir = ours.homedir
    for (const passphrase of [undefined, 'wrong sesame']) {
      const error = await open(gpg({ homedir, passphrase }), encrypted).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'wrong-key' })
      expect(String(error)).not.toContain('sesame')
    }
    expect(await open(gpg({ homedir, passphrase: 'open sesame' }), encrypted)).toEqual(plain)
  })

  it('never takes for a backup what was not encrypted, though gpg is content with it', async () => {
    const literal = writers.run(['--store'], plain)
    await expect(open(gpg({ homedir: ours.homedir }), literal)).rejects.toMatchObject({ code: 'corrupt' })
    const byPassphrase = writers.run(['--passphrase', 'x', '--symmetric'], plain)
    await expect(open(gpg({ homedir: ours.homedir }), byPassphrase)).rejects.toMatchObject({ code: 'wrong-key' })
  })

  it('refuses a recipient without a key, and options that are none', async () => {
    const nobody = gpg({ recipients: 'nobody@example.org', homedir: writers.homedir })
    await expect(seal(nobody)).rejects.toMatchObject({ code: 'config-invalid', message: /nobody@example.org/ })
    expect(() => gpg({ homedir: ours.homedir }).encrypt(streamOf(plain), ctx)).toThrow(/no recipients/)
    for (const options of [
      { recipients: '--yes' },
      { recipients: [''] },
      { recipient: 'x' },
      { passphrase: { env: 'NOT_SET_X' } },
    ]) {
      expect(() => gpg(options as object)).toThrow(/cannot be used/)
    }
    const missing = gpg({ recipients: 'x', program: '/nowhere/gpg' })
    expect(missing.canDecrypt).toBe(false)
    await expect(seal(missing)).rejects.toMatchObject({ code: 'tool-missing' })
  })

  it(`notices each of ${damages} flips and ${damages} cuts`, async () => {
    const cipher = gpg({ recipients: fingerprint, homedir: ours.homedir })
    const encrypted = await seal(cipher)
    const places = Array.from({ length: damages }, (_, index) => Math.floor((index / damages) * encrypted.length))
    const flipped = (place: number): Buffer => {
      const bytes = Buffer.from(encrypted)
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << (place % 8)), place)
      return bytes
    }
    const damaged = places.flatMap((place) => [flipped(place), encrypted.subarray(0, place)])
    const outcomes = await inTurns(damaged, 4, (bytes) =>
      open(cipher, bytes).then(
        () => 'read',
        ({ code }) => code as string,
      ),
    )
    expect(outcomes.filter((outcome) => outcome !== 'corrupt' && outcome !== 'wrong-key')).toEqual([])
  })
})

async function inTurns<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) results.push(await work(item))
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
