import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import type { Identity, Recipient, Stanza } from 'age-encryption'
import type { Secret } from '../secret.js'
import type { AgeLibrary } from './age-library.js'

/*
 * Passphrases, as https://age-encryption.org/v1#the-scrypt-recipient-type says. The library has them too, but computes
 * scrypt in JavaScript, on the main thread, for seconds.
 */

/** log2 of the work that a guess costs, as the `age` program takes it: 256 MiB and about a second. */
export const defaultWorkFactor = 18

/** More than this is no passphrase but an attempt to exhaust the memory: `age` refuses above 22. */
const highestWorkFactor = 22

const label = 'age-encryption.org/v1/scrypt'
const fileKeyNonce = Buffer.alloc(12)
const tagBytes = 16
const wrappedBytes = 16 + tagBytes

/** Whoever knows the passphrase reads. age allows no further recipient beside it. */
export function scryptRecipient(passphrase: Secret, workFactor: number, { Stanza }: AgeLibrary): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16)
      const key = await deriveKey(passphrase, salt, workFactor)
      const cipher = createCipheriv('chacha20-poly1305', key, fileKeyNonce, { authTagLength: tagBytes })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      return [new Stanza(['scrypt', salt.toString('base64').replace(/=+$/, ''), String(workFactor)], body)]
    },
  }
}

/** @throws {Error} in `unwrapFileKey`, for a stanza that breaks the rules; a passphrase that does not fit gives `null`. */
export function scryptIdentity(passphrase: Secret): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find(({ args }) => args[0] === 'scrypt')
      if (stanza === undefined) return null
      if (stanzas.length > 1) throw new Error('a passphrase has recipients beside it')
      const { salt, workFactor } = readStanza(stanza)
      return unwrap(stanza.body, await deriveKey(passphrase, salt, workFactor))
    },
  }
}

function readStanza({ args, body }: Stanza): { salt: Buffer; workFactor: number } {
  const [, saltText = '', factorText = '', more] = args
  const salt = Buffer.from(saltText, 'base64')
  const wellFormed = more === undefined && /^[\w+/]{22}$/.test(saltText) && /^[1-9][0-9]?$/.test(factorText)
  if (!wellFormed || body.length !== wrappedBytes) throw new Error('the part for the passphrase is malformed')
  const workFactor = Number(factorText)
  if (workFactor > highestWorkFactor) throw new Error(`the passphrase asks for too much work (2^${workFactor})`)
  return { salt, workFactor }
}

function unwrap(body: Uint8Array, key: Buffer): Uint8Array | null {
  const decipher = createDecipheriv('chacha20-poly1305', key, fileKeyNonce, { authTagLength: tagBytes })
  decipher.setAuthTag(body.subarray(-tagBytes))
  const fileKey = decipher.update(body.subarray(0, -tagBytes))
  try {
    decipher.final()
    return fileKey
  } catch {
    return null
  }
}

type Scrypt = (password: string, salt: Buffer, length: number, options: object) => Promise<Buffer>

function deriveKey(passphrase: Secret, salt: Buffer, workFactor: number): Promise<Buffer> {
  const N = 2 ** workFactor
  const derive = promisify(scrypt) as unknown as Scrypt
  const options = { N, r: 8, p: 1, maxmem: 2 * 128 * 8 * N }
  return derive(passphrase.reveal(), Buffer.concat([Buffer.from(label), salt]), 32, options)
}
