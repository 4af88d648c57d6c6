import { createReadStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BackupError, messageOf } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/** A file that may be a dump: on disk, on a storage, or coming in on a stream. */
export interface DumpFile {
  /** Its own name, without directories. It names nothing but the backup: what it holds is told by its content. */
  readonly name: string
  /** Where it is, for messages. */
  readonly display: string
  /** Whether it can be read once only. */
  readonly once: boolean
  /** Its bytes. Keeps the law: what ends is whole. */
  open(ctx: RunContext): ByteStream
  /** A file beside it, where there can be one; throws `not-found` if there is none. */
  beside?(name: string, ctx: RunContext): ByteStream
}

/** A dump in a file on this machine. */
export function dumpOnDisk(path: string): DumpFile {
  const read = async function* (file: string, { signal }: RunContext): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted()
    try {
      yield* createReadStream(file, { highWaterMark: MiB, signal })
    } catch (error) {
      signal.throwIfAborted()
      throw unreadable(file, error)
    }
  }
  return {
    name: basename(path),
    display: path,
    once: false,
    open: (ctx) => read(path, ctx),
    beside: (name, ctx) => read(join(dirname(path), name), ctx),
  }
}

/** A dump that lies as an object on a storage, whoever put it there. */
export function dumpOnStorage(storage: Storage, key: string): DumpFile {
  const cut = key.lastIndexOf('/') + 1
  return {
    name: key.slice(cut),
    display: `${key} on ${storage.display}`,
    once: false,
    open: (ctx) => storage.get(key, undefined, ctx),
    beside: (name, ctx) => storage.get(key.slice(0, cut) + name, undefined, ctx),
  }
}

/**
 * A dump that comes in on a stream, such as standard input.
 *
 * @param stream - Must keep the law: one that is cut short has to throw.
 */
export function dumpFromStream(name: string, stream: ByteStream): DumpFile {
  let isTaken = false
  return {
    name,
    display: name,
    once: true,
    open() {
      if (isTaken) throw new BackupError('internal', { message: `${name} was read already` })
      isTaken = true
      return stream
    },
  }
}

function unreadable(file: string, error: unknown): BackupError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new BackupError('not-found', { message: `There is no file ${file}`, hint: 'Check the path.', cause: error })
  }
  if (code === 'EISDIR') {
    return new BackupError('restore-refused', {
      message: `${file} is a directory`,
      hint: 'Name a file; backups in a directory are restored with --from, and a dump of pg_dump --format=directory with pg_restore.',
      cause: error,
    })
  }
  return new BackupError('unavailable', {
    message: `${file} cannot be read: ${messageOf(error)}`,
    hint: 'Check its permissions, and the disk that it lies on.',
    cause: error,
  })
}
