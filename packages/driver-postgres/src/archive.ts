import { BackupError, type ByteStream, MiB } from '@holdfast/core'
import { ByteReader, OutOfBytes } from './byte-reader.js'

/** The beginning of a custom-format archive: what it holds, before any of the data. */
export interface ArchiveHead {
  /** Version of the pg_dump that wrote it, for example `15.20 (Debian 15.20-0+deb12u1)`. */
  readonly dumpVersion: string
  /** Version of the server that was dumped. */
  readonly serverVersion: string
  /** Whether pg_dump compressed the data in the archive. */
  readonly compressed: boolean
  /** Bytes of a number, as in the blocks of data. */
  readonly intSize: number
  /** In the order of the archive. */
  readonly entries: readonly ArchiveEntry[]
}

/** One object of an archive. */
export interface ArchiveEntry {
  /** What lists for `pg_restore --use-list` refer to. */
  readonly id: number
  /** As pg_dump calls it: `TABLE`, `TABLE DATA`, `FK CONSTRAINT`, … */
  readonly kind: string
  /** Name, often with that of its table before it, exactly as it is. */
  readonly tag: string
  readonly schema: string | undefined
  readonly owner: string | undefined
  readonly tablespace: string | undefined
  /** The statements that make it. */
  readonly definition: string
  /** Of rows: the `COPY … FROM stdin;` that takes them. */
  readonly copyStatement: string | undefined
  /** How a table keeps its rows, for example `heap`. */
  readonly accessMethod: string | undefined
  /** Whether a block of data in the archive belongs to it. */
  readonly hasData: boolean
  /** Ids of what must be there first. */
  readonly dependencies: readonly number[]
}

const magic = 'PGDMP'
const noData = 3
/** The newest archive version whose head is understood: that of PostgreSQL 17 and 18. */
const newestVersion = versionNumber(1, 16, 0)
/** What a table of contents may come to; the one of 100,000 tables is about 100 MiB. */
const maxHeadBytes = 1024 * MiB

/**
 * Reads the head of a custom-format archive and gives the stream back. Unlike the list of `pg_restore --list` it has
 * names as they are, and the statements, in which further roles are named.
 *
 * @see ReadHead and ReadToc in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c
 * @throws {BackupError} `corrupt` when it is no such archive, or ends within the head; `tool-too-old` for an archive
 *   version that this package does not know.
 */
export async function readArchiveHead(stream: ByteStream): Promise<ArchiveHead> {
  const { head, data } = await openArchive(stream)
  await data.return(undefined)
  return head
}

/** An archive whose head has been read. */
export interface OpenArchive {
  readonly head: ArchiveHead
  /** What follows the head. Returned, or read to its end, by whoever opened the archive. */
  readonly data: AsyncGenerator<Uint8Array>
}

/** Reads the head of a custom-format archive, and leaves the rest to be read. Throws as {@link readArchiveHead}. */
export async function openArchive(stream: ByteStream): Promise<OpenArchive> {
  const chunks = stream[Symbol.asyncIterator]()
  try {
    const { head, rest } = await headOf(chunks)
    const data = followedBy(rest, chunks)
    await data.next() // past its first, empty chunk: only what has begun gives the stream back when it is returned
    return { head, data }
  } catch (error) {
    await chunks.return?.()
    throw error
  }
}

async function headOf(chunks: AsyncIterator<Uint8Array>): Promise<{ head: ArchiveHead; rest: Buffer }> {
  let bytes = Buffer.alloc(0)
  const waiting: Uint8Array[] = []
  let size = 0
  let tryAt = 0
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    waiting.push(next.value)
    size += next.value.byteLength
    if (size < tryAt) continue
    bytes = Buffer.concat([bytes, ...waiting.splice(0)])
    const found = parseHead(bytes)
    if (found) return found
    tryAt = size * 2 // so that a long head is not parsed anew for every chunk
    if (size > maxHeadBytes) throw notAnArchive(`its table of contents is longer than ${maxHeadBytes} bytes`)
  }
  const found = parseHead(Buffer.concat([bytes, ...waiting]))
  if (found) return found
  throw notAnArchive('it ends within its table of contents')
}

async function* followedBy(first: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield Buffer.alloc(0)
    if (first.length > 0) yield first
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

/** `undefined` when there are not enough bytes yet. */
function parseHead(bytes: Buffer): { head: ArchiveHead; rest: Buffer } | undefined {
  const reader = new ByteReader(bytes)
  try {
    return { head: readHead(reader), rest: reader.rest() }
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined
    throw error
  }
}

function readHead(reader: ByteReader): ArchiveHead {
  if (reader.bytes(5).toString('latin1') !== magic) throw notAnArchive('it does not begin as one')
  const version = versionNumber(reader.byte(), reader.byte(), reader.byte())
  if (version > newestVersion) {
    throw new BackupError('tool-too-old', {
      message: 'The dump is in a version of the custom format that is newer than this version of Holdfast knows',
      hint: 'Update Holdfast, or restore with pg_restore as the manifest says.',
    })
  }
  if (version < versionNumber(1, 12, 0)) throw notAnArchive('its version is older than that of PostgreSQL 9')
  reader.intSize = reader.byte()
  const offsetSize = reader.byte()
  if (reader.byte() !== 1) throw notAnArchive('it is of another format')
  const compression = version >= versionNumber(1, 15, 0) ? reader.byte() : reader.int()
  for (let index = 0; index < 7; index++) reader.int() // when it was made
  reader.text() // name of the database
  const serverVersion = reader.text() ?? ''
  const dumpVersion = reader.text() ?? ''
  const count = reader.int()
  const entries: ArchiveEntry[] = []
  for (let index = 0; index < count; index++) entries.push(readEntry(reader, version, offsetSize))
  return { dumpVersion, serverVersion, compressed: compression !== 0, intSize: reader.intSize, entries }
}

function readEntry(reader: ByteReader, version: number, offsetSize: number): ArchiveEntry {
  const id = reader.int()
  reader.int() // whether it has data, which the offset says as well
  reader.text() // ids within the source's catalogue
  reader.text()
  const tag = reader.text() ?? ''
  const kind = reader.text() ?? ''
  reader.int() // section
  const definition = reader.text() ?? ''
  reader.text() // statement that drops it
  const copyStatement = reader.text() || undefined
  const schema = reader.text() || undefined
  const tablespace = reader.text() || undefined
  const accessMethod = version >= versionNumber(1, 14, 0) ? reader.text() || undefined : undefined
  if (version >= versionNumber(1, 16, 0)) reader.int() // kind of relation
  const owner = reader.text() || undefined
  reader.text() // whether it has OIDs
  const dependencies: number[] = []
  for (let on = reader.text(); on !== undefined; on = reader.text()) dependencies.push(Number(on))
  const hasData = reader.byte() !== noData
  reader.bytes(offsetSize)
  const about = { id, kind, tag, schema, owner, tablespace, definition, copyStatement, accessMethod }
  return { ...about, hasData, dependencies }
}

function versionNumber(major: number, minor: number, revision: number): number {
  return (major * 256 + minor) * 256 + revision
}

/** What is thrown when an archive is not whole. */
export function notAnArchive(why: string): BackupError {
  return new BackupError('corrupt', { message: `The dump is no whole archive of pg_dump's custom format: ${why}` })
}
