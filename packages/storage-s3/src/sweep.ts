import type { ListMultipartUploadsCommandInput, ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3'
import { isBackupError, type RunContext, type UnfinishedPuts } from '@holdfast/core'
import { call } from './call.js'
import { causeStatus } from './errors.js'
import type { Place } from './place.js'

interface OpenUpload {
  readonly key: string
  readonly uploadId: string
  readonly initiated: Date
}

/** See `Storage.sweepUnfinished`: aborts multipart uploads that were begun before `before`. */
export async function sweepUploads(place: Place, which: UnfinishedPuts, ctx: RunContext): Promise<number> {
  const stale = new Map<string, OpenUpload>() // by upload, as prefixes may overlap
  try {
    for (const prefix of which.prefixes) {
      for await (const upload of listUploads(place, prefix, ctx)) {
        if (upload.initiated < which.before && isOurs(place, upload.key)) stale.set(upload.uploadId, upload)
      }
    }
  } catch (error) {
    if (![405, 501].includes(causeStatus(error) ?? 0)) throw error
    ctx.log.warn(`${place.display} cannot list unfinished uploads, so stale ones are not swept`, {
      hint: 'Set a lifecycle rule that aborts incomplete uploads after a day or more.',
    })
    return 0
  }
  for (const { key, uploadId } of stale.values()) await abortUpload(place, key, uploadId, ctx.signal)
  return stale.size
}

/** Aborts a multipart upload. One that is completed or aborted already is success. */
export async function abortUpload(place: Place, key: string, uploadId: string, signal: AbortSignal): Promise<void> {
  const upload = { Bucket: place.bucket, Key: place.prefix + key, UploadId: uploadId }
  try {
    await call(place, { action: 's3:AbortMultipartUpload', key }, signal, ({ sdk, client }, options) =>
      client.send(new sdk.AbortMultipartUploadCommand(upload), options),
    )
  } catch (error) {
    const gone = causeStatus(error) === 404 && !isBackupError(error, 'storage-config-invalid')
    if (!gone) throw error
  }
}

/** Uploads of keys that begin with `prefix`. The service is not trusted to heed it. */
async function* listUploads(place: Place, prefix: string, ctx: RunContext): AsyncGenerator<OpenUpload> {
  let after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {}
  while (after) {
    const page = await listPage(place, prefix, after, ctx)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue
      if (!Key.startsWith(place.prefix + prefix)) continue
      yield { key: Key.slice(place.prefix.length), uploadId: UploadId, initiated: Initiated }
    }
    const stays: boolean = page.NextKeyMarker === after.KeyMarker && page.NextUploadIdMarker === after.UploadIdMarker // it would never end
    const more: boolean = page.IsTruncated === true && page.NextKeyMarker !== undefined && !stays
    after = more ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
  }
}

function listPage(
  place: Place,
  prefix: string,
  after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>,
  ctx: RunContext,
): Promise<ListMultipartUploadsCommandOutput> {
  const request = { Bucket: place.bucket, Prefix: place.prefix + prefix, ...after }
  return call(place, { action: 's3:ListBucketMultipartUploads' }, ctx.signal, ({ sdk, client }, options) =>
    client.send(new sdk.ListMultipartUploadsCommand(request), options),
  )
}

/**
 * Under a prefix everything is ours. A storage that was given a whole bucket may share it with others, so that there
 * only keys of the form that Holdfast writes are touched: `job/2026/11/…` and `.holdfast/…`.
 */
function isOurs(place: Place, key: string): boolean {
  return place.prefix !== '' || /^([^/]+\/\d{4}\/\d{2}|\.holdfast)\/[^/]+$/.test(key)
}
