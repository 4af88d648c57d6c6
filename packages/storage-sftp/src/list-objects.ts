import { isKey, type StoredObject } from '@holdfast/core'
import { findObject } from './find-object.js'
import type { Session } from './session.js'
import { isTempName, waitingAt } from './temp-name.js'
import { walk } from './walk.js'

/** All objects whose key begins with `prefix`; those that wait for a newer one to take their place among them. */
export async function* listObjects(
  session: Session,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<StoredObject> {
  const listed = { folder: '', keys: new Set<string>() } // of the directory that is read
  for await (const { key: found, size, modifiedAt } of walk(session, prefix, signal)) {
    const key = waitingAt(found) ?? found
    const name = nameOf(key)
    const folder = key.slice(0, -name.length)
    if (folder !== listed.folder) Object.assign(listed, { folder, keys: new Set() })
    if (listed.keys.has(key) || isTempName(name) || !key.startsWith(prefix) || !isKey(key)) continue
    const object = key === found ? { size, modifiedAt } : await nowAt(session, key, signal)
    if (!object) continue
    listed.keys.add(key)
    yield { key, ...object }
  }
}

/** What an object is that was seen waiting: the newer one, if that has taken its place since. */
async function nowAt(
  { call, root }: Session,
  key: string,
  signal: AbortSignal,
): Promise<Omit<StoredObject, 'key'> | undefined> {
  const found = await findObject(call, `${root}/${key}`, signal)
  return found?.stats.isFile() ? { size: found.stats.size, modifiedAt: new Date(found.stats.mtime * 1000) } : undefined
}

/** The last name of a key. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
