import { createCipheriv } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { MiB, readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { Secret } from '../secret.js'
import { sample } from '../testing/cipher/cipher-case.js'
import { age } from './age.js'
import { ageRecipientsOf, generateAgeKey, lockText } from './age-key.js'
import type { AgeOptions } from './age-options.js'
import { openPayload } from './age-payload.js'
import type { Cipher } from './cipher.js'

const ctx = createRunContext()
const ours = await generateAgeKey()
const theirs = await generateAgeKey()
const directory = mkdtempSync(join(tmpdir(), 'holdfast-age-'))
afterAll(() => rmSync(directory, { recursive: true }))

const file = (name: string, content: string | Uint8Array): { file: string } => {
  writeFileSync(join(directory, name), content)
  return { file: join(directory, name) }
}
const seal = (cipher: Cipher, plain: Buffer): Promise<Buffer> => readAll(cipher.encrypt(streamOf(plain), ctx))
const open = (cipher: Cipher, bytes: Uint8Array): Promise<Buffer> => readAll(cipher.decrypt(streamOf(bytes), ctx))

describe('the options of age', () => {
  it('take recipients and identities as texts, lists, variables and files with comments', async () => {
    const encrypted = await seal(age({ recipients: ours.recipient }), Buffer.from('dump'))
    process.env.HOLDFAST_TEST_IDENTITY = ours.identity.reveal()
    const both = file('both.txt', `# made today\n${theirs.identity.reveal()}\r\n\n${ours.identity.reveal()}\n`)
    for (const identities of [
      ours.identity,
      [theirs.identity, ours.identity],
      { env: 'HOLDFAST_TEST_IDENTITY' },
      both,
    ]) {
      expect((await open(age({ identities }), encrypted)).toString()).toBe('dump')
    }
    const listed = file('recipients.txt', `# who reads\n${ours.recipient}\n${theirs.recipient}\n`)
    for (const recipients of [
      listed,
      `${ours.recipient}, ${theirs.recipient}`,
      [ours.recipient, theirs.recipient, ours.recipient],
    ]) {
      expect(age({ recipients }).keyIds).toEqual([ours.recipient, theirs.recipient])
    }
  })

  it.each<[AgeOptions, RegExp]>([
    [{}, /neither recipients nor identities nor a passphrase/],
    [{ recipients: [] }, /neither/],
    [{ recipients: '# nobody' }, /there is none/],
    [{ recipients: `${ours.recipient.slice(0, -1)}${ours.recipient.endsWith('q') ? 'p' : 'q'}` }, /mistyped/],
    [{ recipients: ours.recipient.slice(0, -4) }, /age1[a-z0-9]{8}… is mistyped/],
    [{ recipients: 'canary' }, /^(?!.*canary).*one of them is mistyped/s],
    [{ recipients: 'ssh-ed25519 AAAA' }, /SSH keys are not supported/],
    [{ recipients: ours.identity }, /secret key/],
    [{ recipients: { env: 'HOLDFAST_NOT_SET' } }, /HOLDFAST_NOT_SET is not set/],
    [{ recipients: ours.recipient, passphrase: 'x' }, /not both/],
    [{ identities: 'AGE-SECRET-KEY-1XYZ' }, /line 1 is no age identity/],
    [{ identities: '# nothing' }, /no identity in it/],
    [{ identities: { file: '/nowhere/key.txt' } }, /nowhere\/key.txt cannot be used: there is no such file/],
    [{ identities: '-----BEGIN OPENSSH PRIVATE KEY-----' }, /SSH keys are not read/],
    [{ passphrase: 'x', workFactor: 30 }, /workFactor/],
    [{ recipient: ours.recipient } as AgeOptions, /recipient/],
  ])('are refused with the reason: %j', (options, message) => {
    try {
      age(options)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(BackupError)
      expect(error).toMatchObject({ code: 'config-invalid', message })
      expect(String(error)).not.toContain(ours.identity.reveal())
    }
  })

  it('say who can read', () => {
    expect(age({ recipients: ours.recipient })).toMatchObject({
      canDecrypt: false,
      decryptCommand: 'age -d -i key.txt',
    })
    expect(age({ identities: ours.identity })).toMatchObject({ canDecrypt: true, keyIds: [] })
    expect(age({ passphrase: 'x' })).toMatchObject({
      canDecrypt: true,
      keyIds: ['passphrase'],
      decryptCommand: 'age -d',
    })
  })

  it('without recipients cannot encrypt', async () => {
    const reads = age({ identities: ours.identity })
    await expect(seal(reads, Buffer.from('x'))).rejects.toMatchObject({
      code: 'config-invalid',
      message: /no recipients/,
    })
  })
})

describe('an identity under a passphrase', () => {
  const lock = (passphrase: string): Promise<string> =>
    lockText(`# ours\n${ours.identity.reveal()}\n`, new Secret(passphrase), 10)

  it('opens with it, and tells its recipient', async () => {
    const encrypted = await seal(age({ recipients: ours.recipient }), Buffer.from('dump'))
    const armored = await lock('open sesame')
    expect(armored).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    const body = armored.split('\n').slice(1, -2).join('')
    for (const identities of [file('locked.age', armored), file('locked.bin', Buffer.from(body, 'base64'))]) {
      const cipher = age({ recipients: ours.recipient, identities, passphrase: 'open sesame' })
      expect((await open(cipher, encrypted)).toString()).toBe('dump')
      expect(await ageRecipientsOf(identities, new Secret('open sesame'))).toEqual([ours.recipient])
      await expect(open(age({ identities, passphrase: 'guess' }), encrypted)).rejects.toMatchObject({
        code: 'wrong-key',
      })
      expect(() => age({ identities })).toThrow(/set `passphrase` too/)
    }
  })

  it('that is damaged is refused', async () => {
    const encrypted = await seal(age({ recipients: ours.recipient }), Buffer.from('dump'))
    for (const content of ['age-encryption.org/v1\n-> scrypt', '-----BEGIN AGE ENCRYPTED FILE-----\nnonsense']) {
      const cipher = age({ identities: file('bad.age', content), passphrase: 'x' })
      await expect(open(cipher, encrypted)).rejects.toMatchObject({ code: 'config-invalid' })
    }
  })
})

describe('the header', () => {
  const passphrase = age({ passphrase: 'x', workFactor: 10 })

  it('that breaks the rules is damage, not an attempt at more', async () => {
    const encrypted = (await seal(passphrase, Buffer.from('dump'))).toString('latin1')
    const stanza = /-> scrypt (\S+) 10\n(\S+)\n/.exec(encrypted)?.[0] ?? ''
    const changed = [
      encrypted.replace(' 10\n', ' 30\n'),
      encrypted.replace(' 10\n', ' 010\n'),
      encrypted.replace(' 10\n', ' 10 more\n'),
      encrypted.replace(stanza, stanza + stanza),
      encrypted.replace('v1', 'v2'),
      encrypted.replace('\n---', '\n--'),
      `age-encryption.org/v1\n${'x'.repeat(2 * MiB)}`,
    ]
    for (const bytes of changed) {
      await expect(open(passphrase, Buffer.from(bytes, 'latin1'))).rejects.toMatchObject({ code: 'corrupt' })
    }
  })
})

describe('damage', () => {
  const cipher = age({ recipients: [theirs.recipient, ours.recipient], identities: ours.identity })
  const plain = sample(200_000)

  it('is noticed after each of 1,000 flips and 1,000 cuts, and no changed byte is ever yielded', async () => {
    const encrypted = await seal(cipher, plain)
    for (let index = 0; index < 1_000; index++) {
      const place = index < 300 ? index : Math.floor((index / 1_000) * encrypted.length)
      const flipped = Buffer.from(encrypted)
      flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << (index % 8)), place)
      for (const damaged of [flipped, encrypted.subarray(0, place)]) {
        const { error, bytes } = await readSome(damaged)
        expect(error).toMatchObject({ code: expect.stringMatching(/^(corrupt|wrong-key)$/) })
        expect(plain.subarray(0, bytes.length).equals(bytes)).toBe(true)
      }
    }
  })

  it('is noticed when the last chunk is empty behind a full one: nobody writes that', async () => {
    const key = Buffer.alloc(32, 7)
    const sealAs = (chunk: Buffer, counter: number, isLast: boolean): Buffer => {
      const nonce = Buffer.alloc(12)
      nonce.writeUInt8(counter, 10)
      nonce.writeUInt8(isLast ? 1 : 0, 11)
      const sealer = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      return Buffer.concat([sealer.update(chunk), sealer.final(), sealer.getAuthTag()])
    }
    const full = plain.subarray(0, 65_536)
    const openAll = (...chunks: Buffer[]): Promise<Buffer> => readAll(openPayload(streamOf(...chunks), key, ctx))
    const last = sealAs(Buffer.from('x'), 1, true)
    expect(await openAll(sealAs(full, 0, false), last)).toEqual(Buffer.concat([full, Buffer.from('x')]))
    await expect(openAll(sealAs(full, 0, false), sealAs(Buffer.alloc(0), 1, true))).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('its last chunk is empty'),
    })
  })

  it('is noticed when chunks are missing, come twice or change places', async () => {
    const encrypted = await seal(cipher, plain)
    const start = encrypted.length - plain.length - 4 * 16
    const chunk = (index: number): Buffer => encrypted.subarray(start + index * 65_552, start + (index + 1) * 65_552)
    const head = encrypted.subarray(0, start)
    const build = (...order: number[]): Buffer => Buffer.concat([head, ...order.map(chunk)])
    expect((await readSome(build(0, 1, 2, 3))).error).toBeUndefined()
    for (const order of [
      [0, 1, 2],
      [0, 1],
      [0],
      [],
      [1, 2, 3],
      [0, 2, 3],
      [0, 1, 1, 2, 3],
      [1, 0, 2, 3],
      [0, 1, 2, 3, 3],
      [3],
    ]) {
      expect((await readSome(build(...order))).error, order.join()).toMatchObject({ code: 'corrupt' })
    }
  })

  async function readSome(bytes: Buffer): Promise<{ error?: unknown; bytes: Buffer }> {
    const chunks: Uint8Array[] = []
    try {
      for await (const block of cipher.decrypt(streamOf(bytes), ctx)) chunks.push(block)
      return { bytes: Buffer.concat(chunks) }
    } catch (error) {
      return { error, bytes: Buffer.concat(chunks) }
    }
  }
})
