import { checkKey, type Storage } from '@holdfast/core'
import { deleteObject } from './delete.js'
import { getObject } from './get.js'
import { listObjects } from './list.js'
import { resolveS3Options, type S3Options } from './options.js'
import { createPlace } from './place.js'
import { putObject } from './put.js'
import { head } from './stat.js'
import { sweepUploads } from './sweep.js'

/**
 * A bucket of AWS S3, or of any service that speaks its language, as a storage.
 *
 * Nothing is asked of the network, and the SDK is not loaded, before the first call.
 *
 * @throws {BackupError} `storage-config-invalid` when the options cannot be used.
 *
 * @example
 * ```ts
 * import { s3 } from '@holdfast/storage-s3'
 *
 * const offsite = s3({ bucket: 'acme-backups', prefix: 'prod', region: 'eu-west-3' })
 * const minio = s3({
 *   bucket: 'backups',
 *   endpoint: 'https://minio.example.com:9000',
 *   accessKeyId: 'holdfast',
 *   secretAccessKey: { file: '/run/secrets/minio-key' },
 * })
 * ```
 */
export function s3(options: S3Options): Storage {
  const place = createPlace(resolveS3Options(options))
  return {
    name: place.options.name ?? place.display,
    display: place.display,
    put: (key, body, putOptions, ctx) => putObject(place, key, body, putOptions, ctx),
    get: (key, range, ctx) => getObject(place, key, range, ctx),
    async stat(key, ctx) {
      checkKey(key)
      return (await head(place, key, ctx.signal))?.stored
    },
    list: (prefix, ctx) => listObjects(place, prefix, ctx),
    async delete(key, ctx) {
      checkKey(key)
      await deleteObject(place, key, ctx.signal)
    },
    sweepUnfinished: (which, ctx) => sweepUploads(place, which, ctx),
    close: () => place.disconnect(),
  }
}
