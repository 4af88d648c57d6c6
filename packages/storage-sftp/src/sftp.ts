import { checkKey, isBackupError, type RunContext, type Storage, type UnfinishedPuts, withBody } from '@holdfast/core'
import { type Connection, createConnection } from './connection.js'
import { explained } from './errors.js'
import { lstatIfPresent, removeFile } from './files.js'
import { freeSpace } from './free-space.js'
import { getObject } from './get-object.js'
import { displayOf, resolveSftpOptions, type SftpOptions } from './options.js'
import { putObject } from './put-object.js'
import { isReally, placeOf, pruneDirectories } from './root.js'
import type { Session } from './session.js'
import { isTempName } from './temp-name.js'
import { walk } from './walk.js'

/**
 * A directory on an SSH server as a storage: each object is a file, whole before it has its name. Directories are
 * 0700, files 0600. A server whose host key is neither known nor pinned is never spoken to.
 *
 * Nothing is asked of the network before the first call.
 *
 * @throws {BackupError} `storage-config-invalid` when the options cannot be used.
 *
 * @example
 * ```ts
 * import { sftp } from '@holdfast/storage-sftp'
 *
 * const nas = sftp({
 *   host: 'nas.example.com',
 *   username: 'backup',
 *   path: '/srv/backups',
 *   privateKey: { file: '/etc/holdfast/id_ed25519' },
 *   hostFingerprint: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
 * })
 * ```
 */
export function sftp(options: SftpOptions): Storage {
  const resolved = resolveSftpOptions(options)
  const connection = createConnection(resolved)
  const display = displayOf(resolved)
  const inUse = new Set<string>()

  return {
    name: resolved.name ?? display,
    display,

    put: (key, body, { ifAbsent = false }, ctx) =>
      withBody(body, ctx.signal, async (chunks) => {
        checkKey(key)
        return putObject(connection, key, chunks, { ifAbsent, ctx, inUse })
      }),

    async *get(key, range, { signal }) {
      checkKey(key)
      yield* getObject(connection, key, range, signal)
    },

    async stat(key, { signal }) {
      checkKey(key)
      using lease = await connection.lease(signal)
      const { session } = lease
      const { path, directory } = placeOf(session, key)
      const found = await explained(`Looking at ${key}`, lstatIfPresent(session.call, path, signal))
      if (!found?.isFile() || !(await isReally(session.call, directory, signal))) return undefined
      return { key, size: found.size, modifiedAt: new Date(found.mtime * 1000) }
    },

    async *list(prefix, { signal }) {
      using lease = await connection.lease(signal)
      for await (const { key, size, modifiedAt } of walk(lease.session, prefix, signal)) {
        signal.throwIfAborted()
        if (!isTempName(nameOf(key)) && isKey(key)) yield { key, size, modifiedAt }
        signal.throwIfAborted()
      }
    },

    async delete(key, { signal }) {
      checkKey(key)
      using lease = await connection.lease(signal)
      await deleteObject(lease.session, key, signal)
    },

    async freeSpace({ signal }) {
      using lease = await connection.lease(signal)
      return await freeSpace(lease.session, signal)
    },

    sweepUnfinished: (which, ctx) => sweep(connection, which, inUse, ctx),
    close: () => connection.close(),
  }
}

async function deleteObject(session: Session, key: string, signal: AbortSignal): Promise<void> {
  const { call } = session
  const place = placeOf(session, key)
  const doing = `Deleting ${key}`
  const found = await explained(doing, lstatIfPresent(call, place.path, signal))
  if (!found?.isFile() || !(await isReally(call, place.directory, signal))) return
  await explained(doing, removeFile(call, place.path, signal))
  await pruneDirectories(session, place)
}

/** Removes temp files that nobody has written to for long enough. */
async function sweep(
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
    for await (const { key, path, modifiedAt } of walk(session, prefix, signal)) {
      if (isUnfinished(key, prefix) && !inUse.has(path) && modifiedAt < before) stale.add(path)
    }
  }
  for (const path of stale) {
    await explained(`Removing the unfinished file ${path}`, removeFile(session.call, path, signal))
    await pruneDirectories(session, { directory: path.slice(0, path.lastIndexOf('/')) })
  }
  return stale.size
}

/** A temp file tells the directory of the object that it was to become, and no more: that must be under the prefix. */
function isUnfinished(key: string, prefix: string): boolean {
  return isTempName(nameOf(key)) && key.slice(0, -nameOf(key).length).startsWith(prefix)
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

/** Foreign files may have names that no key can be. */
function isKey(key: string): boolean {
  try {
    checkKey(key)
    return true
  } catch (error) {
    if (isBackupError(error, 'invalid-key')) return false
    throw error
  }
}
