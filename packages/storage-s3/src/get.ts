import { BackupError, type ByteRange, checkKey, type RunContext } from '@holdfast/core'
import { call } from './call.js'
import { causeStatus, toBackupError } from './errors.js'
import type { Place } from './place.js'

/** How often in a row a download may break off without a byte of progress in between. */
const attemptsWithoutProgress = 5

/** A download that has been opened. */
interface Opened {
  readonly body: AsyncIterable<Uint8Array> & { destroy(): void }
  /** Bytes that are to come. */
  readonly length: number | undefined
  readonly etag: string | undefined
}

/**
 * See `Storage.get`. A connection that breaks off, or says nothing for `idleTimeout`, is taken up again where it
 * stopped, for the same version of the object only.
 */
export async function* getObject(
  place: Place,
  key: string,
  range: ByteRange | undefined,
  ctx: RunContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  checkKey(key)
  let position = range?.start ?? 0
  let end = range?.end
  let etag: string | undefined
  let failures = 0
  for (;;) {
    const opened = await open(place, key, { start: position, end }, etag, ctx)
    if (!opened) return
    etag ??= opened.etag
    if (opened.length !== undefined) end = position + opened.length - 1
    try {
      for await (const chunk of whole(opened)) {
        ctx.signal.throwIfAborted()
        position += chunk.byteLength
        failures = 0
        yield chunk
      }
      return
    } catch (error) {
      ctx.signal.throwIfAborted()
      failures += 1
      const over = end !== undefined && position > end // every byte came, and then the SDK found fault with them
      if (over) throw damaged(place, key, error)
      if (failures > attemptsWithoutProgress) throw toBackupError(error, place, { action: 's3:GetObject', key })
      ctx.log.debug(`Reading from ${place.display} broke off and is taken up again`, { key, position })
      await ctx.clock.sleep(Math.random() * 100 * 2 ** failures, ctx.signal)
    }
  }
}

/** @returns `undefined` when the range begins at or beyond the end of the object. */
async function open(
  place: Place,
  key: string,
  range: { readonly start: number; readonly end: number | undefined },
  etag: string | undefined,
  ctx: RunContext,
): Promise<Opened | undefined> {
  const partly = range.start > 0 || range.end !== undefined
  const request = {
    Bucket: place.bucket,
    Key: place.prefix + key,
    ...(partly && { Range: `bytes=${range.start}-${range.end ?? ''}` }),
    ...(etag !== undefined && { IfMatch: etag }),
  }
  try {
    const found = await call(place, { action: 's3:GetObject', key }, ctx.signal, ({ sdk, client }, options) =>
      client.send(new sdk.GetObjectCommand(request), options),
    )
    const body = found.Body as Opened['body']
    if (!partly || found.ContentRange?.startsWith(`bytes ${range.start}-`)) {
      return { body, length: found.ContentLength, etag: found.ETag }
    }
    body.destroy()
  } catch (error) {
    if (causeStatus(error) === 416) return undefined
    if (causeStatus(error) === 412) throw replaced(place, key)
    throw error
  }
  throw new BackupError('unavailable', {
    message: `${place.display} ignores the range of bytes that was asked for`,
    hint: 'The service, or a proxy before it, does not support ranges.',
  })
}

/** The body; throws when it ends before its length. Closes the connection when its reader stops early. */
async function* whole({ body, length }: Opened): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0
  try {
    for await (const chunk of body) {
      received += chunk.byteLength
      yield chunk
    }
  } finally {
    body.destroy()
  }
  if (length === undefined || received === length) return
  throw Object.assign(new Error(`${received} of ${length} bytes came`), { code: 'SHORT_BODY' })
}

function replaced(place: Place, key: string): BackupError {
  return new BackupError('corrupt', {
    message: `${place.objectName(key)} was replaced by another object while it was read`,
    hint: 'Something else writes there. Backups are never changed once they are stored.',
  })
}

function damaged(place: Place, key: string, cause: unknown): BackupError {
  return new BackupError('corrupt', {
    message: `${place.objectName(key)} differs from its checksum at the service`,
    hint: 'The object was damaged at rest or on the way. Read it from another copy.',
    cause,
  })
}
