import { BackupError, type ByteStream, type RunContext, type StoredObject } from '@holdfast/core'
import type { Stats } from 'ssh2'
import type { Connection } from './connection.js'
import { alreadyExists, explained, hasStatus, status } from './errors.js'
import { closeHandle, isUnsupported, openFile, removeFile, statHandle } from './files.js'
import { isTaken } from './find-object.js'
import { explainFull } from './free-space.js'
import { publish } from './publish.js'
import { between, isReally, makeDirectories, type Place, placeOf, pruneDirectories } from './root.js'
import type { Session } from './session.js'
import { newTempName } from './temp-name.js'
import { writeBody } from './write-body.js'

/** Milliseconds that a put which failed waits for its temp file to go. It goes on by itself after that. */
const patienceMs = 2000

/** What a put needs to know beside its key and body. */
export interface PutRequest {
  readonly ifAbsent: boolean
  readonly ctx: RunContext
  /** Paths of temp files that are in use by this process. */
  readonly inUse: Set<string>
}

/**
 * Temp file beside the target, write, fsync where the server can, size check, rename: there is the whole object or
 * none. What is left after a connection that is gone is a temp file, which is never listed, and swept later.
 */
export async function putObject(
  connection: Connection,
  key: string,
  body: ByteStream,
  request: PutRequest,
): Promise<StoredObject> {
  const { ifAbsent, ctx, inUse } = request
  const { signal } = ctx
  using lease = await connection.lease(signal)
  const { session } = lease
  const place = placeOf(session, key)
  if (ifAbsent && (await explained(`Looking at ${key}`, isTaken(session.call, place.path, signal)))) {
    throw alreadyExists(key)
  }
  const temp = `${place.directory}/${newTempName()}`
  inUse.add(temp)
  try {
    const handle = await openTemp(session, place, temp, signal)
    const found = await fill(session, handle, place, body, signal)
    signal.throwIfAborted()
    const stored = { key, size: found.size, modifiedAt: new Date(found.mtime * 1000) }
    await publish(connection, session, { temp, place, ifAbsent, size: found.size }, signal)
    await syncDirectories(session, place)
    return stored
  } catch (error) {
    await cleanUp(connection, place, temp, ctx)
    throw error
  } finally {
    inUse.delete(temp)
  }
}

/** Opens a temp file, and makes its directory. Another process may remove that directory, empty, in between. */
async function openTemp(session: Session, place: Place, temp: string, signal: AbortSignal): Promise<Buffer> {
  const { call } = session
  const doing = `Opening a file in ${place.directory}`
  for (let attempt = 1; ; attempt++) {
    try {
      await isReally(call, place.directory, signal) // throws where a link leads elsewhere
      return await explainFull(doing, session, openFile(call, temp, 'wx', { mode: 0o600 }, signal))
    } catch (error) {
      if (!hasStatus((error as Error).cause, status.noSuchFile) || attempt === 20) throw error
    }
    await makeDirectories(session, place, signal)
  }
}

/** Writes the body, and sees to it that all of it is there. Closes the handle. */
async function fill(
  session: Session,
  handle: Buffer,
  { key, path }: Place,
  body: ByteStream,
  signal: AbortSignal,
): Promise<Stats> {
  const { call } = session
  const doing = `Writing ${key} to ${path}`
  let found: Stats
  try {
    const written = await explainFull(doing, session, writeBody(session, handle, body, signal))
    await explainFull(doing, session, sync(call, handle, signal))
    found = await explained(doing, statHandle(call, handle, signal))
    if (found.size !== written) throw shortFile(doing, found.size, written)
  } catch (error) {
    closeHandle(call, handle).catch(() => {}) // not awaited: an abort must not wait for what is still under way
    throw error
  }
  // A server without fsync may say only here that a quota is used up, or that what it took could not be written.
  await explainFull(doing, session, closeHandle(call, handle))
  return found
}

function shortFile(doing: string, size: number, written: number): BackupError {
  return new BackupError('unavailable', {
    message: `${doing} failed: the file holds ${size} bytes of the ${written} that were written`,
    hint: 'Another program works in this directory, or the disk of the server is damaged.',
  })
}

/** Has the server write a file to its disk. An fsync that fails is never tried again. */
async function sync(call: Session['call'], handle: Buffer, signal?: AbortSignal): Promise<void> {
  try {
    await call<unknown>((sftp, done) => sftp.ext_openssh_fsync(handle, done), signal)
  } catch (error) {
    if (!isUnsupported(error)) throw error
  }
}

/** Makes the names durable, as far as the server goes along: not every one opens a directory like a file. */
async function syncDirectories({ root, call }: Session, { directory }: Place): Promise<void> {
  await Promise.all(
    [root, ...between(root, directory)].map(async (path) => {
      try {
        const handle = await openFile(call, path, 'r', {})
        await sync(call, handle).finally(() => closeHandle(call, handle))
      } catch {
        // The object is there, whole and on disk; its name is as durable as the server makes it.
      }
    }),
  )
}

/** Removes what a put that failed has begun, over a new connection if that is what it takes. */
async function cleanUp(connection: Connection, place: Place, temp: string, { log }: RunContext): Promise<void> {
  const work = async (): Promise<void> => {
    try {
      using lease = await connection.lease(AbortSignal.timeout(10 * patienceMs))
      await removeFile(lease.session.call, temp)
      await pruneDirectories(lease.session, place)
    } catch (error) {
      log.warn(`The unfinished file ${temp} could not be removed, and is swept later: ${(error as Error).message}`)
    }
  }
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, patienceMs)
  await Promise.race([work(), patience.promise])
  clearTimeout(timer)
}
