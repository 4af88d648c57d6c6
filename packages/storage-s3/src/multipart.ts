import type { CompletedPart, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
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

/** A buffer of one or two parts, and the sending of what it held last. */
interface Window {
  buffer?: Buffer
  sent: Promise<unknown>
}

/** Bytes of a window that a small object gets instead of a whole one. */
const smallObject = 256 * 1024

/**
 * Sends a body as the parts of one multipart upload; completing or aborting it is the caller's.
 *
 * The body is copied into a few windows of memory that are used over and over: one is filled while the others are
 * sent, each by an `Upload` of lib-storage. Given the whole body, `Upload` would need about 70 MiB more, because it
 * makes a new buffer for every part, and its parts would all have to be of one size.
 *
 * @param transfer - Filled in as things happen, so that it is right whenever this rejects.
 */
export async function sendParts(body: BodyReader, plan: TransferPlan, transfer: Transfer): Promise<void> {
  let sentParts = 0
  for (const stage of plan.stages) {
    const windows = Array.from({ length: stage.windows }, (): Window => ({ sent: Promise.resolve() }))
    const size = stage.partsPerWindow * stage.partSize
    try {
      for (let turn = 0; turn < stage.turns; turn++) {
        const window = windows[turn % windows.length] as Window
        await window.sent
        const content = await fillWindow(window, size, body)
        const first = sentParts === 0
        const last = content.length < size || (first && (await body.ended()))
        const whole = first && last && content.length <= stage.partSize
        if (first && !whole) beginUpload(plan, transfer)
        if (content.length > 0 || whole) {
          window.sent = sendWindow(content, stage, relay(plan, transfer, sentParts), plan)
          window.sent.catch(() => {}) // awaited when the window is used again, or below
        }
        if (last) return
        sentParts += stage.partsPerWindow
      }
    } finally {
      await Promise.all(windows.map((window) => window.sent))
    }
    if (await body.ended()) return
    if (body.bytes >= maxObjectBytes) break
  }
  throw new BackupError('storage-config-invalid', {
    message: `The object ${plan.object.Key} is longer than ${body.bytes} bytes, which is what the parts of one upload hold`,
    hint: 'Set a larger partSize, or maxParts to what the service takes.',
  })
}

/** Not cancelled by an abort: an upload whose id got lost could not be aborted. */
function beginUpload({ connection, object }: TransferPlan, transfer: Transfer): void {
  const { sdk, client } = connection
  const begin = async (): Promise<string | undefined> => {
    const checksums = await client.config.requestChecksumCalculation()
    const algorithm = checksums === 'WHEN_SUPPORTED' ? { ChecksumAlgorithm: 'CRC32' as const } : {}
    const created = await client.send(new sdk.CreateMultipartUploadCommand({ ...object, ...algorithm }))
    return created.UploadId
  }
  transfer.upload = begin()
  transfer.upload.catch(() => {}) // every part awaits it
}

/** A window is made when it is needed, so that a manifest does not cost the memory of a dump. */
async function fillWindow(window: Window, size: number, body: BodyReader): Promise<Buffer> {
  if (!window.buffer) {
    const small = Buffer.allocUnsafe(Math.min(size, smallObject))
    const filled = await body.fill(small)
    if (filled < small.length || (await body.ended())) return small.subarray(0, filled)
    window.buffer = Buffer.allocUnsafeSlow(size)
    small.copy(window.buffer)
    return window.buffer.subarray(0, filled + (await body.fill(window.buffer.subarray(filled))))
  }
  return window.buffer.subarray(0, await body.fill(window.buffer))
}

async function sendWindow(content: Uint8Array, stage: Stage, client: S3Client, plan: TransferPlan): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage')
  const upload = new Upload({
    client,
    params: { ...plan.object, Body: content },
    partSize: stage.partSize,
    queueSize: stage.partsPerWindow,
    leavePartsOnError: true,
  })
  await upload.done()
}

/**
 * The client that the `Upload` of one window works with. All of them work on one multipart upload: parts are passed on
 * with their numbers moved, and what concerns the object as a whole is kept for the caller.
 */
function relay(plan: TransferPlan, transfer: Transfer, sentParts: number): S3Client {
  const { sdk, client } = plan.connection
  const { Bucket, Key } = plan.object

  const uploadId = async (): Promise<string | undefined> => transfer.upload && orAbort(transfer.upload, plan.signal)

  async function sendPart(number: number, body: Uint8Array): Promise<unknown> {
    const part = { Bucket, Key, UploadId: await uploadId(), PartNumber: number, Body: body }
    const sending = client.send(new sdk.UploadPartCommand(part), { abortSignal: plan.signal })
    const sent = await orAbort(sending, plan.signal)
    transfer.parts.push({ PartNumber: number, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 })
    return sent
  }

  async function send(command: unknown): Promise<unknown> {
    plan.signal.throwIfAborted()
    if (command instanceof sdk.CreateMultipartUploadCommand) return { UploadId: await uploadId() }
    if (command instanceof sdk.UploadPartCommand) {
      return sendPart(sentParts + (command.input.PartNumber ?? 0), command.input.Body as Uint8Array)
    }
    if (command instanceof sdk.PutObjectCommand) {
      // What the window holds fits into one part: the last one, or the whole object.
      const body = command.input.Body as Uint8Array
      if (transfer.upload) return sendPart(sentParts + 1, body)
      transfer.whole = body
    }
    return {} // the window is sent; the object may go on
  }

  const sendOrTell = (command: unknown): Promise<unknown> =>
    send(command).catch((error) => {
      plan.onError(error)
      throw error
    })
  return Object.assign(Object.create(client) as S3Client, { send: sendOrTell })
}
