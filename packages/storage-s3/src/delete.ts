import { isBackupError } from '@holdfast/core'
import { call } from './call.js'
import type { Place } from './place.js'

/**
 * Deletes without naming a version: in a versioned bucket that leaves a marker, and the object can still be had back.
 * An absent object is success.
 */
export async function deleteObject(place: Place, key: string, signal: AbortSignal): Promise<void> {
  const object = { Bucket: place.bucket, Key: place.prefix + key }
  try {
    await call(place, { action: 's3:DeleteObject', key }, signal, ({ sdk, client }, options) =>
      client.send(new sdk.DeleteObjectCommand(object), options),
    )
  } catch (error) {
    if (!isBackupError(error, 'not-found')) throw error
  }
}
