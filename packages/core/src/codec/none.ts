import type { Codec } from './codec.js'

/** No compression: bytes pass as they are. Damage shows only in the hash of the stored bytes. */
export function none(): Codec {
  return {
    id: 'none',
    extension: '',
    decompressCommand: undefined,
    compress: (plain) => plain,
    decompress: (stored) => stored,
  }
}
