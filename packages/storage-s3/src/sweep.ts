import type { ListMultipartUploadsCommandInput, ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3'
import { isBackupError, type RunContext } from '@holdfast/core'
import { call } from './call.js'
import { causeStatus } from './errors.js'
import type { Place } from './place.js'

interface OpenUpload {
  readonly key: string
  readonly uploadId: string
  readonly initiated: Date
}

/** See `Storage.sweepUnfinished`: aborts multipart uploads under the prefix that were begun before `before`. */
export async function sweepUploads(place: Place, before: Date, ctx: RunContext): Promise<number> {
  const stale: OpenUpload[] = []
  try {
    for await (const upload of listUploads(place, ctx)) {
      if (upload.initiated < before && isOurs(place, upload.key)) stale.push(upload)
    }
  } catch (error) {
    if (![405, 501].includes(causeStatus(error) ?? 0)) throw error
    ctx.log.warn(`${place.display} cannot list unfinished uploads, so stale ones are not swept`, {
      hint: 'Set a lifecycle rule that aborts incomplete uploads after a day or more.',
    })
    return 0
  }
  for (const { key, uploadId } of stale) await abortUpload(place, key, uploadId, ctx.signal)
  return stale.length
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

async function* listUploads(place: Place, ctx: RunContext): AsyncGenerator<OpenUpload> {
  let after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {}
  while (after) {
    const page = await listPage(place, after, ctx)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue
      yield { key: Key.slice(place.prefix.length), uploadId: UploadId, initiated: Initiated }
    }
    const more: boolean = page.IsTruncated === true && page.NextKeyMarker !== undefined
    after = more ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
  }
}

function listPage(
  place: Place,
  after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>,
  ctx: RunContext,
): Promise<ListMultipartUploadsCommandOutput> {
  const request = { Bucket: place.bucket, Prefix: place.prefix, ...after }
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
