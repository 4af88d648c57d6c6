import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'

/**
 * The adapter for one place that keeps objects.
 *
 * Keys are relative and `/`-separated; see {@link checkKey}. Every method rethrows `ctx.signal.reason` untouched on
 * abort. All errors are {@link BackupError}s: `unavailable` (retryable), `storage-denied`, `storage-config-invalid`,
 * `invalid-key`, and those named at the methods.
 *
 * The law that every storage keeps is the contract suite in `@holdfast/core/testing`.
 */
export interface Storage {
  /** What the user calls it, for messages and records. Unique within a configuration. */
  readonly name: string
  /** What may be shown of the place: a path or `s3://bucket/prefix`, never a key. */
  readonly display: string
  /** Whether reading costs no network: tried first when a backup is read. Default `false`. */
  readonly isLocal?: boolean

  /**
   * Stores `body` under `key`. The object becomes visible only after `body` has ended, whole and durable; if `body`
   * throws or the signal aborts, nothing is left behind and an object that was there before stays as it was.
   * The length is not known beforehand, and memory use does not grow with it. `body` is read to its end or its
   * iterator is returned.
   *
   * @returns The object as stored; `size` in bytes.
   * @throws {BackupError} `already-exists` when `ifAbsent` is set and the key is taken; `storage-full`;
   *   `unavailable` once the retries of a piece are spent.
   */
  put(key: string, body: ByteStream, options: PutOptions, ctx: RunContext): Promise<StoredObject>

  /**
   * The bytes of an object, or of a range of it. Opens on the first read.
   * Short data throws `corrupt` or `unavailable`; a normal end means complete.
   *
   * @param range - Beyond the end of the object it yields what is there.
   * @throws {BackupError} `not-found`.
   */
  get(key: string, range: ByteRange | undefined, ctx: RunContext): ByteStream

  /** The object's size and time, or `undefined` if there is none. */
  stat(key: string, ctx: RunContext): Promise<StoredObject | undefined>

  /**
   * All objects whose key begins with `prefix` (any string, `''` for all), in no promised order. Unfinished puts are
   * never listed. An error throws; it never looks like an empty list.
   */
  list(prefix: string, ctx: RunContext): AsyncIterable<StoredObject>

  /** Removes an object. An absent key is success. */
  delete(key: string, ctx: RunContext): Promise<void>

  /** Bytes that can still be written; `undefined` where the far end turns out not to say. */
  freeSpace?(ctx: RunContext): Promise<number | undefined>

  /**
   * Removes what puts that never finished left behind (temp files, open multipart uploads), of this storage's own
   * making. Only what is known to be unfinished puts of keys that begin with one of the prefixes is removed: others
   * may keep their objects in the same place.
   *
   * @returns How many were removed.
   */
  sweepUnfinished?(which: UnfinishedPuts, ctx: RunContext): Promise<number>

  /** Releases connections. A storage that was closed is not used again. */
  close?(): Promise<void>
}

/** Which unfinished puts to remove. */
export interface UnfinishedPuts {
  /** Last touched before this. */
  readonly before: Date
  /** Beginnings of keys, as in {@link Storage.list}; `''` for every key. Without any, nothing is removed. */
  readonly prefixes: readonly string[]
}

/** How to store an object. */
export interface PutOptions {
  /** Refuse with `already-exists` if the key is taken. */
  readonly ifAbsent?: boolean
  /** Short descriptive pairs, kept where the storage can. ASCII, 2 KiB in all. */
  readonly metadata?: Metadata
  /** Room for object locks, which come in a later version. */
  readonly retainUntil?: Date
}

/** Descriptive pairs of an object. */
export type Metadata = Readonly<Record<string, string>>

/** An object as a storage describes it. */
export interface StoredObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** When it became visible, as the storage says. */
  readonly modifiedAt: Date
}

/** Bytes `start` to `end`, both included (as in HTTP); without `end`, to the end of the object. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}
