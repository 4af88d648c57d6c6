import { checkKey, type Storage, withBody } from '@holdfast/core'
import { createConnection } from './connection.js'
import { explained } from './errors.js'
import { lstatIfPresent, removeFile } from './files.js'
import { findObject } from './find-object.js'
import { freeSpace } from './free-space.js'
import { getObject } from './get-object.js'
import { listObjects } from './list-objects.js'
import { displayOf, resolveSftpOptions, type SftpOptions } from './options.js'
import { putObject } from './put-object.js'
import { isReally, placeOf, pruneDirectories } from './root.js'
import type { Session } from './session.js'
import { sweep } from './sweep.js'
import { asideOf } from './temp-name.js'

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
      const { stats } = (await explained(`Looking at ${key}`, findObject(session.call, path, signal))) ?? {}
      if (!stats?.isFile() || !(await isReally(session.call, directory, signal))) return undefined
      return { key, size: stats.size, modifiedAt: new Date(stats.mtime * 1000) }
    },

    async *list(prefix, { signal }) {
      using lease = await connection.lease(signal)
      for await (const object of listObjects(lease.session, prefix, signal)) {
        signal.throwIfAborted()
        yield object
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
  const aside = asideOf(place.path)
  const doing = `Deleting ${key}`
  const find = (path: string) => explained(doing, lstatIfPresent(call, path, signal))
  const [found, waiting] = await Promise.all([find(place.path), find(aside)])
  if (!(found ?? waiting)?.isFile() || !(await isReally(call, place.directory, signal))) return
  // In this order: what waits would be the object again.
  if (waiting?.isFile()) await explained(doing, removeFile(call, aside, signal))
  if (found) await explained(doing, removeFile(call, place.path, signal))
  await pruneDirectories(session, place)
}
