import { BackupError } from '../backup-error.js'
import type { Codec } from './codec.js'
import { gzip } from './gzip.js'
import { none } from './none.js'
import { zstd } from './zstd.js'

const codecs: Readonly<Record<string, () => Codec>> = { zstd, gzip, none }

/**
 * The codec that a manifest names.
 *
 * @throws {BackupError} `manifest-invalid` when there is none of that name.
 */
export function codecById(id: string): Codec {
  const make = Object.hasOwn(codecs, id) ? codecs[id] : undefined
  if (make !== undefined) return make()
  throw new BackupError('manifest-invalid', {
    message: `The manifest names a compression that is not known: ${JSON.stringify(id)}`,
    hint: 'A newer version of Holdfast may know it.',
  })
}
