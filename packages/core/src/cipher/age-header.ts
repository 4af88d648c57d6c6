import type { Identity, Recipient } from 'age-encryption'
import { isBackupError, messageOf } from '../backup-error.js'
import { damagedAge, noMatchingIdentity } from './age-errors.js'
import type { AgeLibrary } from './age-library.js'
import { payloadNonceBytes } from './age-payload.js'

/** A header, and the key that it hands to its recipients. */
export interface AgeHeader {
  readonly bytes: Uint8Array
  readonly fileKey: Uint8Array
}

/** Of the one sealed chunk that an empty payload has. */
const emptyChunkBytes = 16

/** Makes a key for one file, and the header that hands it to the recipients. */
export async function makeHeader(
  recipients: readonly (string | Recipient)[],
  { Encrypter }: AgeLibrary,
): Promise<AgeHeader> {
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  let fileKey = new Uint8Array()
  // The library keeps the file key to itself, but shows it to every recipient: this one adds nothing to the header.
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key)
      return []
    },
  })
  const empty = await encrypter.encrypt(new Uint8Array())
  return { bytes: empty.subarray(0, empty.length - payloadNonceBytes - emptyChunkBytes), fileKey }
}

/**
 * The key of a file, by the first identity that fits.
 *
 * @throws {BackupError} `wrong-key` when none does; `corrupt` when the header was changed.
 */
export async function openHeader(
  header: Uint8Array,
  identities: readonly (string | Identity)[],
  { Decrypter }: AgeLibrary,
): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  // Asked last, when no other fits.
  decrypter.addIdentity({
    unwrapFileKey() {
      throw noMatchingIdentity()
    },
  })
  try {
    return await decrypter.decryptHeader(header)
  } catch (error) {
    throw isBackupError(error) ? error : damagedAge(messageOf(error), error)
  }
}

const firstLine = Buffer.from('age-encryption.org/v1\n')
const macLine = '\n---'
const longestHeader = 1024 * 1024

/** Bytes of the header at the beginning of `data`; `undefined` while there are too few to tell. */
export function headerLength(data: Buffer): number | undefined {
  const known = Math.min(data.length, firstLine.length)
  if (!data.subarray(0, known).equals(firstLine.subarray(0, known)))
    throw damagedAge('they do not begin as age files do')
  const mac = data.indexOf(macLine)
  const end = mac < 0 ? -1 : data.indexOf('\n', mac + 1)
  if (end >= 0) return end + 1
  if (data.length > longestHeader) throw damagedAge('their header has no end')
  return undefined
}
