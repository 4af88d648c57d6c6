import { BackupError } from '@holdfast/core'
import type { Connection } from './connection.js'
import { alreadyExists, explained, hasStatus, status } from './errors.js'
import { isUnsupported, lstatIfPresent, moveFile } from './files.js'
import type { Place } from './root.js'
import type { Session } from './session.js'
import { dropWaiting, stepAside, takePlace } from './waiting.js'

/** A file that is whole, and where it belongs. */
interface Finished {
  readonly temp: string
  readonly place: Place
  readonly ifAbsent: boolean
  readonly size: number
}

/**
 * Makes the file visible. When the connection breaks meanwhile, nobody knows whether the rename came about: a look
 * over a new connection decides.
 */
export async function publish(
  connection: Connection,
  session: Session,
  finished: Finished,
  signal: AbortSignal,
): Promise<void> {
  try {
    // Without the signal: what has begun to become visible is seen through, it takes one answer.
    await explained(`Publishing ${finished.place.key}`, rename(session, finished))
  } catch (error) {
    if (!session.isLost || !(await wasRenamed(connection, finished, signal))) throw error
  }
}

async function wasRenamed(connection: Connection, finished: Finished, signal: AbortSignal): Promise<boolean> {
  const { temp, place, size } = finished
  try {
    using lease = await connection.lease(signal)
    const { call } = lease.session
    if (await lstatIfPresent(call, temp, signal)) return false
    return (await lstatIfPresent(call, place.path, signal))?.size === size
  } catch {
    return false // the first error is the one worth telling
  }
}

async function rename(session: Session, { temp, place, ifAbsent }: Finished): Promise<void> {
  const { call } = session
  try {
    // The rename of SFTP itself refuses a name that is taken, the extension of OpenSSH replaces what has it.
    if (ifAbsent) await moveFile(call, temp, place.path)
    else await call<void>((sftp, done) => sftp.ext_openssh_rename(temp, place.path, done))
  } catch (error) {
    if (!isUnsupported(error) && !hasStatus(error, status.failure, status.alreadyExists)) throw error
    const found = await lstatIfPresent(call, place.path)
    if (found?.isDirectory()) {
      throw new BackupError('invalid-key', { message: `${place.path} is a directory, and cannot become an object` })
    }
    if (ifAbsent && found) throw alreadyExists(place.key)
    if (ifAbsent || !isUnsupported(error)) throw error
    await replace(session, temp, place.path)
  }
}

/**
 * Where a rename cannot replace: the older object steps aside, where readers look too, and comes back if the newer one
 * cannot take its place. Whenever this is killed, the one or the other is found. Another put, or a sweep that takes this
 * one for killed, may give the name away in between: then that object steps aside, too.
 */
async function replace({ call }: Session, temp: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await stepAside(call, path)
    try {
      await moveFile(call, temp, path)
      break
    } catch (error) {
      const mayTryAgain = hasStatus(error, status.failure, status.alreadyExists) && attempt < 20
      if (mayTryAgain && (await lstatIfPresent(call, path))) continue
      await takePlace(call, path).catch(() => {}) // the first error is the one worth telling
      throw error
    }
  }
  await dropWaiting(call, path).catch(() => {}) // swept later
}
