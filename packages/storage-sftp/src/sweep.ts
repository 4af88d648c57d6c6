import type { RunContext, UnfinishedPuts } from '@holdfast/core'
import type { Connection } from './connection.js'
import { explained } from './errors.js'
import { lstatIfPresent, removeFile } from './files.js'
import { nameOf } from './list-objects.js'
import { pruneDirectories } from './root.js'
import type { Session } from './session.js'
import { isTempName, waitingAt } from './temp-name.js'
import { dropWaiting, takePlace } from './waiting.js'
import { type FoundFile, walk } from './walk.js'

/** Removes temp files that nobody has written to for long enough, and puts objects that were left waiting in order. */
export async function sweep(
  connection: Connection,
  { before, prefixes }: UnfinishedPuts,
  inUse: ReadonlySet<string>,
  { signal }: RunContext,
): Promise<number> {
  if (prefixes.length === 0) return 0
  using lease = await connection.lease(signal)
  const { session } = lease
  const stale = new Set<string>() // by path, as prefixes may overlap
  for (const prefix of prefixes) {
    for await (const file of walk(session, prefix, signal)) {
      if (isUnfinished(file, prefix) && !inUse.has(file.path) && file.modifiedAt < before) stale.add(file.path)
    }
  }
  for (const path of stale) await settle(session, path, signal)
  return stale.size
}

async function settle(session: Session, path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { call } = session
  const object = waitingAt(path)
  if (object === undefined) {
    await explained(`Removing the unfinished file ${path}`, removeFile(call, path, signal))
    await pruneDirectories(session, { directory: path.slice(0, path.lastIndexOf('/')) })
    return
  }
  // Whoever replaced it was killed halfway, then it gets its name again; or at the end, then there is a newer one.
  const isThere = await explained(`Looking at ${object}`, lstatIfPresent(call, object, signal))
  if (!isThere && (await explained(`Renaming ${path}`, takePlace(call, object)))) return
  await explained(`Removing ${path}`, dropWaiting(call, object))
}

/** A temp file tells the directory of the object that it was to become, and no more: that must be under the prefix. */
function isUnfinished({ key }: FoundFile, prefix: string): boolean {
  const object = waitingAt(key) ?? (isTempName(nameOf(key)) ? key.slice(0, -nameOf(key).length) : undefined)
  return object?.startsWith(prefix) === true
}
