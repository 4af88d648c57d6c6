import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AgeKey, age, createHoldfast, generateAgeKey } from '@holdfast/core'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { tempDirectory } from '../testing/temp-directory.js'
import { configFromData } from './config-from-data.js'
import { encryptionFrom } from './encryption.js'
import { environmentReader } from './environment-variables.js'

let key: AgeKey
let other: AgeKey
beforeAll(async () => {
  key = await generateAgeKey()
  other = await generateAgeKey()
})

const from = (env: Record<string, string>, ageRecipient?: string[]) =>
  encryptionFrom({ ageRecipient }, environmentReader(env))

describe('encryption from the environment', () => {
  it('is none where nothing is said', () => {
    for (const env of [{}, { BACKUP_ENCRYPT: 'false' }, { BACKUP_ENCRYPT: 'false', BACKUP_AGE_RECIPIENTS: '' }])
      expect(from(env as unknown as Record<string, string>)).toBeUndefined()
  })

  it('takes recipients of age, one or several, from a variable, its file or its alias', () => {
    const file = join(tempDirectory('recipients'), 'recipients')
    writeFileSync(file, `# ours\n${key.recipient}\n`)
    const both = `${key.recipient},${other.recipient}`
    expect(from({ BACKUP_AGE_RECIPIENTS: both })).toMatchObject({ id: 'age', keyIds: [key.recipient, other.recipient] })
    for (const env of [
      { BACKUP_AGE_RECIPIENTS_FILE: file },
      { BACKUP_ENCRYPT: key.recipient },
      { BACKUP_ENCRYPT: 'true', BACKUP_AGE_RECIPIENTS: key.recipient },
    ]) {
      expect(from(env as unknown as Record<string, string>)).toMatchObject({
        keyIds: [key.recipient],
        canDecrypt: false,
      })
    }
    const reads = { BACKUP_AGE_RECIPIENTS: key.recipient, BACKUP_AGE_IDENTITY: key.identity.reveal() }
    expect(from(reads)).toMatchObject({ canDecrypt: true })
  })

  it('is what one variable says, where another is empty', () => {
    const env = { BACKUP_ENCRYPT: '', BACKUP_GPG_RECIPIENT: '', BACKUP_AGE_RECIPIENTS: key.recipient }
    expect(from(env)).toMatchObject({ keyIds: [key.recipient] })
  })

  it('takes recipients of gpg', () => {
    for (const env of [
      { BACKUP_GPG_RECIPIENT: 'a@example.org b@example.org' },
      { BACKUP_ENCRYPT: 'a@example.org, b@example.org' },
    ]) {
      expect(from(env as unknown as Record<string, string>)).toMatchObject({
        id: 'gpg',
        keyIds: ['a@example.org', 'b@example.org'],
      })
    }
  })

  it('comes after the command line', () => {
    expect(from({ BACKUP_GPG_RECIPIENT: 'a@example.org' }, [key.recipient])).toMatchObject({ keyIds: [key.recipient] })
  })

  it.each<[Record<string, string>, RegExp]>([
    [{ BACKUP_ENCRYPT: 'true' }, /asks for encryption, but it is not said for whom/],
    [
      { BACKUP_ENCRYPT: 'false', BACKUP_GPG_RECIPIENT: 'a@example.org' },
      /BACKUP_ENCRYPT and BACKUP_GPG_RECIPIENT disagree/,
    ],
    [{ BACKUP_ENCRYPT: 'x@example.org', BACKUP_GPG_RECIPIENT: 'a@example.org' }, /disagree/],
    [{ BACKUP_AGE_RECIPIENTS: 'age1x', BACKUP_GPG_RECIPIENT: 'a@example.org' }, /disagree/],
    [{ BACKUP_AGE_RECIPIENTS: 'age1x' }, /mistyped/],
    [{ BACKUP_GPG_RECIPIENT: '--yes' }, /must not begin with a hyphen/],
    [{ BACKUP_ENCRYPT: '' }, /BACKUP_ENCRYPT .*is set, but empty/],
    [{ BACKUP_AGE_RECIPIENTS: '' }, /BACKUP_AGE_RECIPIENTS .*is set, but empty/],
    [{ BACKUP_GPG_RECIPIENT: ' ' }, /BACKUP_GPG_RECIPIENT .*is set, but empty/],
    [{ BACKUP_AGE_RECIPIENTS_FILE: '' }, /BACKUP_AGE_RECIPIENTS_FILE.* is set, but empty/],
    [{ BACKUP_GPG_RECIPIENT_FILE: '/dev/null' }, /BACKUP_GPG_RECIPIENT_FILE.* is set, but empty/],
    [{ BACKUP_ENCRYPT: 'true', BACKUP_AGE_RECIPIENTS: '' }, /asks for encryption, but it is not said for whom/],
  ])('never lets a backup through in plain that was to be encrypted: %j', (env, message) => {
    expect(() => from(env)).toThrow(message)
  })
})

it('is that of the job, where the environment asks for it and does not say for whom', () => {
  const own = age({ recipients: key.recipient })
  for (const env of [{ BACKUP_ENCRYPT: 'true' }, { BACKUP_AGE_RECIPIENTS: '' }, { BACKUP_ENCRYPT: '' }])
    expect(encryptionFrom({}, environmentReader(env as unknown as Record<string, string>), own)).toBeUndefined()
  const another = environmentReader({ BACKUP_AGE_RECIPIENTS: other.recipient, BACKUP_GPG_RECIPIENT: '' })
  expect(encryptionFrom({}, another, own)).toMatchObject({ keyIds: [other.recipient] })
})

it('for an empty recipient on the command line is refused', () => {
  for (const recipient of ['', ' '])
    expect(() => from({}, [recipient])).toThrow(/recipients: (?:must not be empty|there is none)/)
})

describe('encryption in JSON and YAML', () => {
  const job = (encrypt: unknown): object => ({
    jobs: { shop: { source: 'postgres://localhost/shop', storages: ['./backups'], encrypt } },
  })

  it('is named by recipient, or as age and gpg with their options', async () => {
    const cipherOf = async (encrypt: unknown): Promise<unknown> =>
      (await configFromData(job(encrypt), '/etc/holdfast.json')).jobs.shop?.encrypt
    expect(await cipherOf(key.recipient)).toMatchObject({ id: 'age', keyIds: [key.recipient] })
    expect(await cipherOf({ cipher: 'age', recipients: [key.recipient] })).toMatchObject({ keyIds: [key.recipient] })
    expect(await cipherOf({ cipher: 'gpg', recipients: 'a@b' })).toMatchObject({ id: 'gpg', keyIds: ['a@b'] })
    const { ciphers } = await configFromData(
      { ...job(key.recipient), ciphers: [{ cipher: 'gpg' }] },
      '/etc/holdfast.json',
    )
    expect(ciphers).toMatchObject([{ id: 'gpg' }])
  })

  it('is refused where the variable that holds it is empty, or not set', async () => {
    for (const [value, problem] of [
      ['', 'is set, but empty'],
      [' ', 'there is none'],
      [undefined, 'is not set'],
    ]) {
      vi.stubEnv('HOLDFAST_TEST_KEY', value)
      const place = { env: 'HOLDFAST_TEST_KEY' }
      await expect(configFromData(job({ cipher: 'age', recipients: place }), '/x.json')).rejects.toThrow(problem)
      if (value === ' ') continue
      for (const cipher of ['age', 'gpg']) {
        const data = job({ cipher, passphrase: place, ...(cipher === 'gpg' && { recipients: 'a@b' }) })
        await expect(configFromData(data, '/x.json')).rejects.toThrow(problem)
      }
    }
    vi.unstubAllEnvs()
    for (const nothing of [null, '', ' ', false, { cipher: 'age' }, { cipher: 'gpg', recipients: '' }]) {
      await expect(configFromData(job(nothing), '/x.json')).rejects.toThrow(/jobs\.shop\.encrypt: /)
    }
    const config = await configFromData(job({ cipher: 'gpg' }), '/x.json')
    expect(() => createHoldfast(config)).toThrow(/jobs\.shop\.encrypt: has nobody to encrypt for/)
  })

  it('is refused with its path', async () => {
    for (const encrypt of [true, {}, { cipher: 'rot13' }, { cipher: 'age', recipient: 'x' }, 'age1nonsense']) {
      await expect(configFromData(job(encrypt), '/etc/holdfast.json')).rejects.toThrow(/jobs\.shop\.encrypt: /)
    }
  })
})
