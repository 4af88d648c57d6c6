import type { StatsFs } from 'node:fs'
import { statfs, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isKey, type RunContext, type Storage, type StoredObject, type UnfinishedPuts, withBody } from '@holdfast/core'
import { syncDirectory } from './directory.js'
import { type LocalOptions, parseOptions } from './local-options.js'
import { putObject } from './put-object.js'
import { readObject } from './read-object.js'
import { lstatIfPresent, pruneDirectories, refuseLinks, rootDirectory } from './root-directory.js'
import { explained, hasCode } from './storage-error.js'
import { isTempName } from './temp-name.js'
import { walk } from './walk.js'

/**
 * Keeps backups in a directory: each object is a file, whole and on disk before it has its name. Directories are
 * 0700, files 0600, whatever the umask.
 *
 * @throws {BackupError} `config-invalid` for options that cannot be used. The directory is looked at on first use.
 * @example
 * ```ts
 * import { local } from '@holdfast/storage-local'
 *
 * const storage = local({ path: './backups' })
 * ```
 */
export function local(options: LocalOptions): Storage {
  const { path, name, create } = parseOptions(options)
  const root = rootDirectory(path, create)
  const inUse = new Set<string>()

  return {
    name,
    display: root.path,
    isLocal: true,

    put: (key, body, { ifAbsent = false }, { signal }) =>
      withBody(body, signal, async (chunks) =>
        putObject(await root.placeToPut(key), chunks, { key, ifAbsent, signal, inUse }),
      ),

    async *get(key, range, { signal }) {
      signal.throwIfAborted()
      yield* readObject(await root.place(key), key, range, signal)
    },

    async stat(key, { signal }) {
      signal.throwIfAborted()
      const place = await root.place(key)
      const found = await lstatIfPresent(place.path)
      if (!found?.isFile()) return undefined
      await refuseLinks(place)
      return { key, size: found.size, modifiedAt: found.mtime }
    },

    async *list(prefix, { signal }) {
      signal.throwIfAborted()
      for await (const files of walk(await root.real(), prefix)) {
        for (const object of await Promise.all(files.map((file) => describe(file.key, file.path)))) {
          signal.throwIfAborted()
          if (object) yield object
        }
        signal.throwIfAborted()
      }
    },

    async delete(key, { signal }) {
      signal.throwIfAborted()
      const place = await root.place(key)
      if (!(await lstatIfPresent(place.path))?.isFile()) return
      await refuseLinks(place)
      await explained(`Deleting ${key}`, removeFile(place.path))
      await explained(`Deleting ${key}`, syncDirectory(place.directory))
      await pruneDirectories(place)
    },

    async freeSpace({ signal }) {
      signal.throwIfAborted()
      const { bavail, bsize } = await explained(`Looking at ${root.path}`, fileSystemOf(await root.real()))
      return bavail * bsize
    },

    sweepUnfinished: async (which, ctx) => sweep(await root.real(), which, inUse, ctx),
  }
}

/** The file system on which a directory lies, or will once it is made. */
async function fileSystemOf(path: string): Promise<StatsFs> {
  try {
    return await statfs(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error
    return await fileSystemOf(dirname(path))
  }
}

/** The object of a file that the walk found; `undefined` for what is not an object of a storage, or gone by now. */
async function describe(key: string, path: string): Promise<StoredObject | undefined> {
  if (isTempName(key.slice(key.lastIndexOf('/') + 1)) || !isKey(key)) return undefined
  const found = await lstatIfPresent(path)
  return found?.isFile() ? { key, size: found.size, modifiedAt: found.mtime } : undefined
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (await lstatIfPresent(path)) throw error
  }
}

/** Removes temp files that nobody has written to for long enough. */
async function sweep(
  root: string,
  { before, prefixes }: UnfinishedPuts,
  inUse: ReadonlySet<string>,
  { signal }: RunContext,
): Promise<number> {
  let removed = 0
  for (const prefix of prefixes) {
    for await (const files of walk(root, prefix)) {
      for (const { key, path } of files) {
        signal.throwIfAborted()
        if (!isUnfinished(key, prefix) || inUse.has(path)) continue
        const found = await lstatIfPresent(path)
        if (!found || found.mtime >= before) continue
        await explained(`Removing the unfinished file ${path}`, removeFile(path))
        await pruneDirectories({ root, path, directory: dirname(path) })
        removed++
      }
    }
  }
  return removed
}

/** A temp file tells the directory of the object that it was to become, and no more: that must be under the prefix. */
function isUnfinished(key: string, prefix: string): boolean {
  const cut = key.lastIndexOf('/') + 1
  return isTempName(key.slice(cut)) && key.slice(0, cut).startsWith(prefix)
}
