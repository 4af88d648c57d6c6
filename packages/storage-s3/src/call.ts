import type { Connection } from './client.js'
import { type S3Request, toBackupError } from './errors.js'
import type { Place } from './place.js'

/** What every request of the SDK is given. */
export interface SendOptions {
  readonly abortSignal: AbortSignal
}

/**
 * Makes one call of the SDK. An abort throws `signal.reason` at once, even while the SDK pauses between two attempts;
 * any other failure becomes a BackupError.
 */
export async function call<T>(
  place: Place,
  request: S3Request,
  signal: AbortSignal,
  send: (connection: Connection, options: SendOptions) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  try {
    const connection = await place.connection()
    return await orAbort(send(connection, { abortSignal: signal }), signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw toBackupError(error, place, request)
  }
}

/** What `work` resolves to, unless the signal aborts first. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
