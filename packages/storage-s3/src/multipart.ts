import { Readable } from 'node:stream'
import type { CompletedPart, CreateMultipartUploadCommand, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { BackupError } from '@holdfast/core'
import type { BodyReader } from './body-reader.js'
import { orAbort } from './call.js'
import type { Connection } from './client.js'
import { maxObjectBytes, type Stage } from './part-size.js'

/** What of an object has been sent so far. */
export interface Transfer {
  /** The id of the multipart upload. Absent before the first part is full, and for objects that fit into one part. */
  upload?: Promise<string | undefined>
  /** Parts that the service has, in no order. */
  readonly parts: CompletedPart[]
  /** The whole object, where it fits into one part: one request stores it, which is the caller's to send. */
  whole?: Uint8Array
}

/** How to send parts. */
export interface TransferPlan {
  readonly connection: Connection
  /** Bucket, key and what describes the object. */
  readonly object: PutObjectCommandInput & { readonly Bucket: string; readonly Key: string }
  readonly stages: readonly Stage[]
  readonly signal: AbortSignal
  /** Told of the first request that fails, so that the others can be ended. */
  onError(error: unknown): void
}

/**
 * Sends a body as the parts of one multipart upload; completing or aborting it is the caller's.
 *
 * `Upload` of lib-storage cuts the body and sends parts side by side, but knows one part size only. So each stage of
 * part sizes is an `Upload` of its own, and all of them work on the same multipart upload: the client that they are
 * given passes parts on with their numbers moved, and keeps for the caller what concerns the object as a whole.
 *
 * @param transfer - Filled in as things happen, so that it is right whenever this rejects.
 */
export async function sendParts(body: BodyReader, plan: TransferPlan, transfer: Transfer): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage')
  let offset = 0
  for (const { partSize, parts, queue } of plan.stages) {
    const stretch = Readable.from(body.take(partSize * parts), { highWaterMark: 2 })
    const upload = new Upload({
      client: stageClient(plan, transfer, offset),
      params: { ...plan.object, Body: stretch },
      partSize,
      queueSize: queue,
      leavePartsOnError: true,
    })
    await upload.done()
    if (await body.ended()) return
    offset += parts
    if (body.bytes >= maxObjectBytes) break
  }
  throw new BackupError('storage-config-invalid', {
    message: `The object ${plan.object.Key} is longer than ${body.bytes} bytes, which is what the parts of one upload hold`,
    hint: 'Set a larger partSize, or maxParts to what the service takes.',
  })
}

/** The client of one stage's `Upload`. */
function stageClient(plan: TransferPlan, transfer: Transfer, offset: number): S3Client {
  const { sdk, client } = plan.connection
  const { Bucket, Key } = plan.object
  const options = { abortSignal: plan.signal }

  /** Not cancelled by an abort: an upload whose id got lost could not be aborted. */
  async function begin(command: CreateMultipartUploadCommand): Promise<unknown> {
    transfer.upload ??= client.send(command).then((created) => created.UploadId)
    return { UploadId: await orAbort(transfer.upload, plan.signal) }
  }

  async function sendPart(number: number, body: Uint8Array): Promise<unknown> {
    const part = { Bucket, Key, UploadId: await transfer.upload, PartNumber: number, Body: body }
    const sent = await orAbort(client.send(new sdk.UploadPartCommand(part), options), plan.signal)
    transfer.parts.push({ PartNumber: number, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 })
    return sent
  }

  async function send(command: unknown): Promise<unknown> {
    plan.signal.throwIfAborted()
    if (command instanceof sdk.CreateMultipartUploadCommand) return begin(command)
    if (command instanceof sdk.UploadPartCommand) {
      return sendPart(offset + (command.input.PartNumber ?? 0), command.input.Body as Uint8Array)
    }
    if (command instanceof sdk.PutObjectCommand) {
      // What is left fits into one part: the whole object, or the end of one.
      if (offset > 0) return sendPart(offset + 1, command.input.Body as Uint8Array)
      transfer.whole = command.input.Body as Uint8Array
    }
    return {} // a stage is complete; the object may go on
  }

  const sendOrTell = (command: unknown): Promise<unknown> =>
    send(command).catch((error) => {
      plan.onError(error)
      throw error
    })
  return Object.assign(Object.create(client) as S3Client, { send: sendOrTell })
}
