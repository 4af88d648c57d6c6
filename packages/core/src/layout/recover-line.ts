import type { Cipher } from '../cipher/cipher.js'
import type { Codec } from '../codec/codec.js'
import type { ManifestPart } from './manifest.js'

/** The shell line of the manifest: stored object → decrypt → decompress → the engine's own client. */
export function recoverLine(
  part: ManifestPart | undefined,
  codec: Codec,
  cipher: Cipher | undefined,
  restore: string,
): string {
  const file = part?.key.slice(part.key.lastIndexOf('/') + 1) ?? ''
  const filters = [cipher?.decryptCommand, codec.decompressCommand].filter((command) => command !== undefined)
  const [first, ...rest] = [...filters, restore]
  return [`${first} < ${file}`, ...rest].join(' | ')
}
