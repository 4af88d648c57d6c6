import { randomBytes } from 'node:crypto'
import type { Identity, Recipient } from 'age-encryption'
import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { damagedAge, writeOnly } from './age-errors.js'
import { headerLength, makeHeader, openHeader } from './age-header.js'
import { readIdentities } from './age-identities.js'
import { type AgeLibrary, loadAge } from './age-library.js'
import { type AgeOptions, parseAgeOptions, type ResolvedAgeOptions } from './age-options.js'
import { openPayload, payloadKey, payloadNonceBytes, sealPayload } from './age-payload.js'
import { scryptIdentity, scryptRecipient } from './age-scrypt.js'
import type { Cipher } from './cipher.js'

/**
 * Encryption with age: what it writes the `age` program opens (`age -d -i key.txt`), and the other way round.
 *
 * With recipients alone this host can back up and verify stored bytes, and cannot read: nobody who breaks into it
 * reads a backup. `holdfast key generate` makes an identity.
 *
 * @example
 * ```ts
 * import { age } from '@holdfast/core'
 *
 * const encrypt = age({ recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'] })
 * console.log(encrypt.canDecrypt) // false
 * ```
 * @throws {BackupError} `config-invalid` for recipients and identities that are none.
 */
export function age(options: AgeOptions): Cipher {
  const resolved = parseAgeOptions(options)
  const { recipients, identities, passphrase, byPassphrase } = resolved
  return {
    id: 'age',
    extension: '.age',
    decryptCommand: byPassphrase ? 'age -d' : 'age -d -i key.txt',
    keyIds: byPassphrase ? ['passphrase'] : recipients,
    canDecrypt: identities.length > 0 || passphrase !== undefined,
    encrypt: (plain, ctx) => encrypt(plain, resolved, ctx),
    decrypt: (encrypted, ctx) => decrypt(encrypted, resolved, ctx),
  }
}

/** The header is made while the first bytes of the dump are on their way. */
function encrypt(plain: ByteStream, options: ResolvedAgeOptions, ctx: RunContext): ByteStream {
  const prepared = loadAge().then((library) => makeHeader(recipientsOf(options, library), library))
  prepared.catch(() => {}) // whoever reads sees it

  async function* sealed(): AsyncGenerator<Uint8Array> {
    const { bytes, fileKey } = await prepared
    const nonce = randomBytes(payloadNonceBytes)
    let head: Uint8Array[] = [bytes, nonce]
    for await (const block of sealPayload(plain, payloadKey(fileKey, nonce), ctx)) {
      yield head.length === 0 ? block : Buffer.concat([...head, block])
      head = []
    }
  }
  return sealed()
}

function recipientsOf(options: ResolvedAgeOptions, library: AgeLibrary): readonly (string | Recipient)[] {
  const { recipients, passphrase, byPassphrase, workFactor } = options
  if (byPassphrase && passphrase) return [scryptRecipient(passphrase, workFactor, library)]
  if (recipients.length > 0) return recipients
  throw new BackupError('config-invalid', {
    message: 'The backup cannot be encrypted with age: there are identities to read with, but no recipients',
    hint: 'Add `recipients`; `age-keygen -y key.txt` prints the one of an identity.',
  })
}

async function* decrypt(
  encrypted: ByteStream,
  options: ResolvedAgeOptions,
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  if (options.identities.length === 0 && options.passphrase === undefined) throw writeOnly()
  ctx.signal.throwIfAborted()
  const library = await loadAge()
  const identities = await identitiesOf(options, library)
  const chunks = encrypted[Symbol.asyncIterator]()
  try {
    const { header, nonce, rest } = await readHeader(chunks)
    const key = payloadKey(await openHeader(header, identities, library), nonce)
    ctx.signal.throwIfAborted()
    yield* openPayload(followedBy(rest, chunks), key, ctx)
  } finally {
    await chunks.return?.()
  }
}

async function identitiesOf(options: ResolvedAgeOptions, library: AgeLibrary): Promise<(string | Identity)[]> {
  const own = await readIdentities(options, library)
  return options.passphrase ? [...own, scryptIdentity(options.passphrase)] : own
}

async function readHeader(chunks: AsyncIterator<Uint8Array>): Promise<{ header: Buffer; nonce: Buffer; rest: Buffer }> {
  let data: Buffer = Buffer.alloc(0)
  for (;;) {
    const length = headerLength(data)
    if (length !== undefined && data.length >= length + payloadNonceBytes) {
      const payload = length + payloadNonceBytes
      return { header: data.subarray(0, length), nonce: data.subarray(length, payload), rest: data.subarray(payload) }
    }
    const next = await chunks.next()
    if (next.done) throw damagedAge('they end within the header')
    data = Buffer.concat([data, next.value])
  }
}

async function* followedBy(first: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
}
