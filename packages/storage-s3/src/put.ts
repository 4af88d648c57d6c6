import { randomUUID } from 'node:crypto'
import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import {
  BackupError,
  type ByteStream,
  checkKey,
  isBackupError,
  messageOf,
  type PutOptions,
  type RunContext,
  type StoredObject,
  withBody,
} from '@holdfast/core'
import { readBody } from './body-reader.js'
import { call, orAbort, type SendOptions } from './call.js'
import type { Connection } from './client.js'
import { deleteObject } from './delete.js'
import { causeStatus, toBackupError } from './errors.js'
import { sendParts, type Transfer } from './multipart.js'
import { describeObject, idOf } from './object-description.js'
import { planStages } from './part-size.js'
import type { Place } from './place.js'
import { type Head, head } from './stat.js'
import { abortUpload } from './sweep.js'

/** How long tidying up after a failure may take. Abort must be prompt, and a service that is gone must not hold it. */
const tidyTimeoutMs = 8_000

/** How often a look at an object that was just stored is begun anew. */
const looks = 3

/** One object on its way. */
interface Put {
  readonly place: Place
  readonly key: string
  /** Marks the object as made by this very put, so that a lost answer can be told from somebody else's object. */
  readonly id: string
  readonly object: PutObjectCommandInput & { readonly Bucket: string; readonly Key: string }
  readonly ifAbsent: boolean
  readonly transfer: Transfer
  /** Aborts with what went wrong first, whether here, in the body or by the caller. */
  readonly signal: AbortSignal
  readonly ctx: RunContext
  /** Whether a request was sent that makes the object visible. */
  published: boolean
}

/** See `Storage.put`. */
export async function putObject(
  place: Place,
  key: string,
  body: ByteStream,
  options: PutOptions,
  ctx: RunContext,
): Promise<StoredObject> {
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(ctx.signal.reason)
  if (ctx.signal.aborted) onAbort()
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  const timer = uploadTimer(place, stop)
  const id = randomUUID()
  const put: Put = {
    place,
    key,
    id,
    object: { Bucket: place.bucket, Key: place.prefix + key, ...describeObject(place.options, options.metadata, id) },
    ifAbsent: options.ifAbsent ?? false,
    transfer: { parts: [] },
    signal: stop.signal,
    ctx,
    published: false,
  }
  try {
    return await withBody(body, stop.signal, async (chunks) => {
      checkKey(key)
      if (put.ifAbsent) await refuseTaken(put)
      return store(put, chunks, (error) => stop.abort(error))
    })
  } catch (error) {
    const first = stop.signal.aborted ? stop.signal.reason : error
    stop.abort(first) // ends what is still being sent
    await tidy(put, first)
    throw first
  } finally {
    clearTimeout(timer)
    ctx.signal.removeEventListener('abort', onAbort)
  }
}

async function store(put: Put, chunks: ByteStream, fail: (error: unknown) => void): Promise<StoredObject> {
  const { place, transfer, signal, object } = put
  const body = readBody(chunks, fail)
  const connection = await place.connection()
  const onError = (error: unknown): void => fail(toBackupError(error, place, { action: 's3:PutObject', key: put.key }))
  const stages = planStages(place.options)
  await sendParts(body, { connection, object, stages, signal, onError }, transfer)
  signal.throwIfAborted()
  const stored = await publish(put)
  if (stored.size === body.bytes) return stored
  throw new BackupError('corrupt', {
    message: `${place.objectName(put.key)} has ${stored.size} bytes after the upload of ${body.bytes}`,
    hint: 'The service lost or added bytes. Try again; if it happens again, do not use this service.',
  })
}

/**
 * Makes the object visible. Whatever the answer, or if there is none, a look at the object decides: an answer can be
 * lost, or say 200 and hold an error.
 */
async function publish(put: Put): Promise<StoredObject> {
  const { place, key, signal } = put
  if (put.ifAbsent && put.transfer.upload) await refuseTaken(put)
  put.published = true
  try {
    await call(place, { action: 's3:PutObject', key }, signal, (connection, options) =>
      sendLast(put, connection, options),
    )
  } catch (error) {
    signal.throwIfAborted()
    if (put.ifAbsent && place.conditions.sent && causeStatus(error) === 501) {
      place.conditions.sent = false // a service that refuses the header instead of ignoring it
      return publish(put)
    }
    const found = await head(place, key, signal).catch(() => undefined)
    if (found && idOf(found.metadata) === put.id) return found.stored
    throw found && [409, 412].includes(causeStatus(error) ?? 0) ? taken(put) : error
  }
  const found = await lookAgain(put)
  if (found && (idOf(found.metadata) ?? put.id) === put.id) return found.stored
  throw new BackupError('unavailable', {
    message: `${place.objectName(key)} is ${found ? 'another object' : 'not there'} right after it was stored`,
    hint: 'Something else writes or deletes there, or the service is not consistent.',
    retryable: true,
  })
}

/** The object was stored, and no more than a look at it is missing: worth more than the attempts of one request. */
async function lookAgain({ place, key, signal }: Put): Promise<Head | undefined> {
  for (let look = 1; ; look++) {
    try {
      return await head(place, key, signal)
    } catch (error) {
      if (look === looks || !isBackupError(error) || !error.retryable) throw error
    }
  }
}

async function sendLast(put: Put, { sdk, client }: Connection, options: SendOptions): Promise<unknown> {
  const { object, transfer } = put
  const condition = put.ifAbsent && put.place.conditions.sent ? { IfNoneMatch: '*' } : {}
  if (!transfer.upload) {
    const body = transfer.whole ?? new Uint8Array()
    return client.send(new sdk.PutObjectCommand({ ...object, Body: body, ...condition }), options)
  }
  const parts = transfer.parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
  const complete = { UploadId: await transfer.upload, MultipartUpload: { Parts: parts }, ...condition }
  return client.send(
    new sdk.CompleteMultipartUploadCommand({ Bucket: object.Bucket, Key: object.Key, ...complete }),
    options,
  )
}

/**
 * Looks before an exclusive put, and again before a long one is completed. The condition on the last request closes
 * the gap between; where a service ignores it, a rival that stores in that very moment goes unnoticed.
 */
async function refuseTaken(put: Put): Promise<void> {
  if (await head(put.place, put.key, put.signal)) throw taken(put)
}

function taken({ place, key }: Put): BackupError {
  return new BackupError('already-exists', { message: `There is already an object ${place.objectName(key)}` })
}

/** Takes back what a failed put left. */
async function tidy(put: Put, failure: unknown): Promise<void> {
  const signal = AbortSignal.timeout(tidyTimeoutMs)
  const uploadId = await uploadToAbort(put, signal)
  if (uploadId !== undefined) await abortOrWarn(put, uploadId, signal)
  if (put.published && mayRemove(put, failure)) await removeIfOurs(put, signal)
}

/** The upload may just be in the making. One that could not be made need not be aborted. */
async function uploadToAbort({ transfer }: Put, signal: AbortSignal): Promise<string | undefined> {
  return transfer.upload && orAbort(transfer.upload, signal).catch(() => undefined)
}

async function abortOrWarn({ place, key, ctx }: Put, uploadId: string, signal: AbortSignal): Promise<void> {
  try {
    await abortUpload(place, key, uploadId, signal)
  } catch (error) {
    ctx.log.warn(`An unfinished upload to ${place.display} could not be aborted; its parts take room until it is`, {
      key,
      uploadId,
      error: messageOf(error),
      hint: 'It is swept later. A lifecycle rule that aborts incomplete uploads is a good safety net.',
    })
  }
}

/**
 * An exclusive put made what it finds. Any other may have replaced an object, and to remove what is whole would then
 * leave neither: it stays where it is merely unknown how the put went.
 */
function mayRemove({ ifAbsent, ctx }: Put, failure: unknown): boolean {
  return ifAbsent || ctx.signal.aborted || isBackupError(failure, 'corrupt') || isBackupError(failure, 'timed-out')
}

/** An object that appeared although its put failed, because the answer came too late or never. */
async function removeIfOurs({ place, key, id, ctx }: Put, signal: AbortSignal): Promise<void> {
  try {
    const found = await head(place, key, signal)
    if (found && idOf(found.metadata) === id) await deleteObject(place, key, signal)
  } catch (error) {
    ctx.log.warn(`It is unknown whether ${place.objectName(key)} was stored`, { error: messageOf(error) })
  }
}

function uploadTimer(place: Place, stop: AbortController): NodeJS.Timeout | undefined {
  const limit = place.options.uploadTimeout
  if (limit === undefined) return undefined
  return setTimeout(() => {
    const message = `An upload to ${place.display} took longer than the ${limit} ms of uploadTimeout`
    stop.abort(new BackupError('timed-out', { message, retryable: true }))
  }, limit)
}
