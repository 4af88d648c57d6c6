import { isBackupError, type Metadata, type StoredObject } from '@holdfast/core'
import { call } from './call.js'
import type { Place } from './place.js'

/** What HEAD tells of an object. */
export interface Head {
  readonly stored: StoredObject
  readonly metadata: Metadata | undefined
}

/** Looks at an object. `undefined` means that the bucket is there and the object is not. */
export async function head(place: Place, key: string, signal: AbortSignal): Promise<Head | undefined> {
  const object = { Bucket: place.bucket, Key: place.prefix + key }
  try {
    const found = await call(place, { action: 's3:GetObject', key }, signal, ({ sdk, client }, options) =>
      client.send(new sdk.HeadObjectCommand(object), options),
    )
    const stored = { key, size: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) }
    return { stored, metadata: found.Metadata }
  } catch (error) {
    if (!isBackupError(error, 'not-found')) throw error
    await requireBucket(place, signal)
    return undefined
  }
}

/**
 * The answer to HEAD has no body, so a missing bucket looks like a missing object. The difference matters: one is a
 * mistake in the configuration, the other a lost backup. Asked once.
 */
async function requireBucket(place: Place, signal: AbortSignal): Promise<void> {
  if (place.bucketSeen.yes) return
  const look = { Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 }
  try {
    await call(place, { action: 's3:ListBucket' }, signal, ({ sdk, client }, options) =>
      client.send(new sdk.ListObjectsV2Command(look), options),
    )
  } catch (error) {
    if (!isBackupError(error, 'storage-denied')) throw error // who may not list may still read and write
  }
  place.bucketSeen.yes = true
}
