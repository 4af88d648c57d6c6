import { BackupError, type RunContext, type StoredObject } from '@holdfast/core'
import { call } from './call.js'
import type { Place } from './place.js'

/**
 * See `Storage.list`. Pages of up to 1,000 objects are fetched as they are needed. The service is not trusted to heed
 * the prefix, nor to come to an end.
 */
export async function* listObjects(place: Place, prefix: string, ctx: RunContext): AsyncGenerator<StoredObject> {
  let token: string | undefined
  do {
    const request = {
      Bucket: place.bucket,
      Prefix: place.prefix + prefix,
      ...(token !== undefined && { ContinuationToken: token }),
    }
    const page = await call(place, { action: 's3:ListBucket' }, ctx.signal, ({ sdk, client }, options) =>
      client.send(new sdk.ListObjectsV2Command(request), options),
    )
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      ctx.signal.throwIfAborted()
      if (!Key?.startsWith(request.Prefix)) continue
      yield { key: Key.slice(place.prefix.length), size: Size ?? 0, modifiedAt: LastModified ?? new Date(0) }
    }
    const next = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && (next === undefined || next === token)) throw brokenOff(place)
    token = next
  } while (token !== undefined)
  ctx.signal.throwIfAborted()
}

/** A list that is not whole would make objects look deleted. */
function brokenOff(place: Place): BackupError {
  return new BackupError('unavailable', {
    message: `${place.display} says that its list goes on, and not where`,
    hint: 'The service does not page lists as S3 does.',
  })
}
