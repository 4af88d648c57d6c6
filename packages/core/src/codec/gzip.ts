import { createGunzip, createGzip } from 'node:zlib'
import { MiB } from '../byte-stream.js'
import { coalesce } from '../stream/coalesce.js'
import type { Codec } from './codec.js'
import { compressionFailed, damagedData } from './damaged-data.js'
import { levelWithin } from './level.js'
import { through } from './through.js'

/** How gzip is used. */
export interface GzipOptions {
  /** 1 (fast) to 9 (small). Default 6. */
  readonly level?: number
}

/**
 * gzip, for those who must read their backups where there is no zstd. Always in this process: Node's zlib takes two
 * thirds of the time of the `gzip` program.
 *
 * @throws {BackupError} `config-invalid` for a level outside 1 to 9.
 */
export function gzip({ level = 6 }: GzipOptions = {}): Codec {
  levelWithin('gzip', level, 1, 9)
  return {
    id: 'gzip',
    extension: '.gz',
    decompressCommand: 'gzip -dc',
    compress: (plain) => through(coalesce(plain, MiB), createGzip({ level, chunkSize: MiB }), compressionFailed),
    decompress: (compressed) => through(compressed, createGunzip({ chunkSize: MiB }), damaged),
  }
}

const damaged = (reason: string, cause?: unknown): Error => damagedData('gzip', reason, cause)
