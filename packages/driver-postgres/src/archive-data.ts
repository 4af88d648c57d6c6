import { notAnArchive, type OpenArchive } from './archive.js'

/** Hears of the data of an archive, block by block. */
export interface DataSink {
  /** The block of an entry begins; it may hold no data at all. */
  block?(entryId: number): void
  /** Data of an entry begin. `largeObject` is the OID, where they are those of a large object. */
  begin(entryId: number, largeObject?: number): void
  /** The next bytes, as pg_dump got them from the server. Their memory is used again once this returns. */
  bytes(bytes: Buffer): void
  end(): void
}

const dataBlock = 1
const largeObjectsBlock = 3

/**
 * Reads what follows the head of an archive to its end.
 *
 * @see _PrintTocData in PostgreSQL's src/bin/pg_dump/pg_backup_custom.c
 * @throws {BackupError} `corrupt` where it is not what pg_dump writes, ends too early, or lacks the data of an entry.
 */
export async function readArchiveData({ head, data }: OpenArchive, sink: DataSink): Promise<void> {
  const lacking = new Set(head.entries.filter(({ hasData }) => hasData).map(({ id }) => id))
  const parser = createBlockParser(head.intSize, { ...sink, block: (entryId) => void lacking.delete(entryId) })
  for await (const chunk of data) parser.feed(chunk)
  parser.end()
  if (lacking.size > 0) throw notAnArchive(`the data of ${lacking.size} of its entries are not there`)
}

/** Takes the blocks of an archive apart. */
export interface BlockParser {
  feed(chunk: Uint8Array): void
  /** @throws {BackupError} `corrupt` in the middle of a block. */
  end(): void
}

/**
 * A block is a byte for its kind, the number of its entry, and pieces that each follow their length, up to a length of
 * 0. Of large objects there are several in a block, each after its OID, up to an OID of 0.
 *
 * Up to version 16 each row is such a piece. So that not each of them costs a call of a hash, the pieces of a chunk are
 * pushed together over their lengths, in a copy of the chunk: in the same memory each time, which spares the collector.
 */
export function createBlockParser(intSize: number, sink: DataSink): BlockParser {
  const numberSize = intSize + 1
  let expected: 'block' | 'entry' | 'object' | 'length' = 'block'
  let inObjects = false
  let entryId = 0
  /** Bytes of the current piece that are still to come. */
  let left = 0
  /** The beginning of a number that the end of a chunk has cut. */
  let cut: Uint8Array = Buffer.alloc(0)
  let memory = Buffer.alloc(0)

  const feed = (chunk: Uint8Array): void => {
    const size = cut.length + chunk.length
    if (memory.length < size) memory = Buffer.allocUnsafeSlow(size)
    const bytes = memory.subarray(0, size)
    bytes.set(cut)
    bytes.set(chunk, cut.length)
    let at = 0
    let from = 0 // the bytes from here to `to` are data that the sink has not had yet
    let to = 0
    const flush = (): void => {
      if (to > from) sink.bytes(bytes.subarray(from, to))
      from = at
      to = at
    }
    while (at < bytes.length) {
      if (left > 0) {
        const end = Math.min(at + left, bytes.length)
        if (to < at) bytes.copyWithin(to, at, end)
        to += end - at
        left -= end - at
        at = end
        continue
      }
      if (expected === 'block') {
        inObjects = kindOf(bytes.readUInt8(at)) === largeObjectsBlock
        at += 1
        expected = 'entry'
        continue
      }
      if (bytes.length - at < numberSize) break
      const value = numberAt(bytes, at, intSize)
      at += numberSize
      if (expected === 'length') {
        left = value
        if (value > 0) continue
        if (value < 0) throw notAnArchive('a length is below zero')
        flush()
        sink.end()
        expected = inObjects ? 'object' : 'block'
      } else if (expected === 'entry') {
        entryId = value
        sink.block?.(value)
        expected = inObjects ? 'object' : 'length'
        flush()
        if (!inObjects) sink.begin(entryId)
      } else {
        expected = value === 0 ? 'block' : 'length'
        flush()
        if (value !== 0) sink.begin(entryId, value >>> 0)
      }
    }
    cut = Uint8Array.from(bytes.subarray(at))
    if (to > from) sink.bytes(bytes.subarray(from, to))
  }

  return {
    feed,
    end() {
      if (expected !== 'block' || cut.length > 0) throw notAnArchive('it ends within its data')
    },
  }
}

function kindOf(byte: number): number {
  if (byte === dataBlock || byte === largeObjectsBlock) return byte
  throw notAnArchive('its data are not in blocks')
}

/** A byte for the sign, then the bytes of the number, the lowest first. */
function numberAt(bytes: Buffer, at: number, size: number): number {
  const low = bytes.readUInt32LE(at + 1) // numbers of more than four bytes are written with zeros above
  if (size !== 4 && bytes.subarray(at + 5, at + 1 + size).some((byte) => byte !== 0))
    throw notAnArchive('a number is too large')
  return bytes[at] === 0 ? low : -low
}
