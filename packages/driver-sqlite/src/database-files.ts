import { lstatSync } from 'node:fs'
import { link, open, realpath, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type AsideKind, asideName, BackupError, messageOf } from '@holdfast/core'
import { type AsideMark, markOf, writeMark } from './aside-mark.js'

/** What SQLite keeps beside a database file. */
const companions = ['-journal', '-wal', '-shm']

/** The longest name that file systems take, in bytes, less what SQLite adds to it. */
export const longestName: number = 255 - '-journal'.length

/** A free path beside a database, `app.db__holdfast_<id>` or `app.db__before_<id>`, that is marked as ours from now on. */
export async function reserveBeside(
  path: string,
  kind: AsideKind,
  now: Date,
  note: Pick<AsideMark, 'keepUntil' | 'wal'>,
): Promise<string> {
  const directory = dirname(path)
  const isThere = (name: string): boolean => lstatSync(join(directory, name), { throwIfNoEntry: false }) !== undefined
  const isTaken = (name: string): boolean => isThere(name) || isThere(markOf(name))
  const beside = join(directory, asideName(basename(path), kind, now, longestName, isTaken))
  try {
    await writeMark(beside, { beside: basename(path), ...note })
    return beside
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await reserveBeside(path, kind, now, note)
    throw cannotMake(path, error)
  }
}

/** Whether an error of the system says that a disk, or what a user may have of it, is full. */
export const isFull = (error: unknown): boolean => /^(ENOSPC|EDQUOT)$/.test((error as NodeJS.ErrnoException).code ?? '')

/** Nothing can be written beside a database. */
export function cannotMake(path: string, cause: unknown): BackupError {
  const full = isFull(cause)
  return new BackupError(full ? 'storage-full' : 'restore-refused', {
    message: `No file can be made beside ${path}: ${messageOf(cause)}`,
    hint: full
      ? 'A restore takes a copy there first: make room. The database was not touched.'
      : 'A restore takes a copy there first: make the directory, and give this user the right to write in it.',
    cause,
  })
}

/**
 * Gives a whole database the name of one that is not there, durably.
 *
 * @throws {BackupError} `target-not-empty` when the name is taken meanwhile; `restore-refused`.
 */
export async function takeName(from: string, path: string): Promise<void> {
  for (const suffix of ['-journal', '-wal']) {
    const found = await stat(path + suffix).catch(() => undefined)
    if (found === undefined || found.size === 0) continue
    throw new BackupError('restore-refused', {
      message: `${path + suffix} belongs to a database that is gone; SQLite would mix it into the restored one`,
      hint: 'Move it away, and restore again.',
    })
  }
  await link(from, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw notEmpty(path)
    return rename(from, path) // a file system without hard links
  })
  const directory = await open(dirname(path))
  await directory.sync().finally(() => directory.close())
}

/** Removes a database that nobody has open, with what SQLite left beside it; last of all the mark, by which it is found. */
export async function removeDatabase(path: string): Promise<void> {
  for (const each of [...companions.map((suffix) => path + suffix), path, markOf(path)]) await rm(each, { force: true })
}

/** The file itself, where the path is a link: what is made beside it must be on the same disk. */
export async function fileOf(path: string): Promise<string> {
  return await realpath(path).catch(() => path)
}

/** @throws {BackupError} `storage-full` before the first byte is written, rather than after the last that fits. */
export async function requireRoom(directory: string, bytes: number): Promise<void> {
  const found = await statfs(directory).catch(() => undefined) // what writes there tells better what is wrong
  if (!found) return
  const { bavail, bsize } = found
  if (bavail * bsize >= bytes) return
  throw new BackupError('storage-full', {
    message: `${directory} has room for ${bavail * bsize} bytes, and a copy of the database takes ${bytes}`,
    hint: 'Make room there. A dump takes its copy in tempDir (TMPDIR), a restore beside the database.',
  })
}

/** What to do about a database that is not to be overwritten. */
export const notEmptyHint = 'Say what to do with it (staged, replace or clean), or name another file.'

/** A database that is not to be overwritten. */
export function notEmpty(path: string): BackupError {
  return new BackupError('target-not-empty', {
    message: `${path} exists and holds something`,
    hint: notEmptyHint,
  })
}
