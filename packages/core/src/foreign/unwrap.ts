import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import { codecById } from '../codec/codec-by-id.js'
import type { RunContext } from '../run-context.js'
import { withoutArmor } from './age-armor.js'
import { type Peeked, peek } from './peek.js'
import { headBytes, type Wrapping, wrappingOf } from './recognise.js'

/** A file without what it was wrapped in. */
export interface Unwrapped extends Peeked {
  /** From outside in. */
  readonly wrappings: readonly Wrapping[]
}

/** Deeper ones are not made by anybody's script; somebody may want to keep us busy. */
const mostWrappings = 8

/**
 * Takes compression and encryption off a file, layer by layer, each known by its first bytes.
 *
 * @throws {BackupError} `wrong-key` where a layer is encrypted and no cipher reads it; `corrupt` for damage that shows
 *   in the first bytes.
 */
export async function unwrap(
  source: ByteStream,
  display: string,
  ciphers: readonly Cipher[],
  ctx: RunContext,
): Promise<Unwrapped> {
  const wrappings: Wrapping[] = []
  let peeked = await peek(source, headBytes)
  try {
    for (let found = wrappingOf(peeked.head); found !== undefined; found = wrappingOf(peeked.head)) {
      if (wrappings.length >= mostWrappings) throw tooDeep(display)
      wrappings.push(found)
      peeked = await peek(takeOff(found, peeked.stream, display, ciphers, ctx), headBytes)
    }
    return { ...peeked, wrappings }
  } catch (error) {
    await peeked.stream.return(undefined)
    throw error
  }
}

function takeOff(
  wrapping: Wrapping,
  stream: ByteStream,
  display: string,
  ciphers: readonly Cipher[],
  ctx: RunContext,
): ByteStream {
  if (wrapping === 'gzip' || wrapping === 'zstd') return codecById(wrapping).decompress(stream, ctx)
  if (wrapping === 'age-armor') return withoutArmor(stream)
  const cipher = ciphers.find(({ id, canDecrypt }) => id === wrapping && canDecrypt)
  if (cipher) return cipher.decrypt(stream, ctx)
  throw new BackupError('wrong-key', {
    message: `${display} is encrypted with ${wrapping}, and no key that reads it is at hand`,
    hint:
      wrapping === 'age'
        ? 'Give the identity, for example --identity key.txt.'
        : "The secret key has to be in gpg's keyring (gpg --list-secret-keys).",
  })
}

function tooDeep(display: string): BackupError {
  return new BackupError('restore-refused', {
    message: `${display} is wrapped in compression or encryption more than ${mostWrappings} times`,
    hint: 'Take some of it off by hand.',
  })
}
