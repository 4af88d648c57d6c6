import type { ByteStream, PartFormat } from '@holdfast/core'
import { openArchive } from './archive.js'
import { createBlockParser } from './archive-data.js'
import { endOfRows } from './copy-statement.js'
import { readPlain } from './plain-data.js'
import type { PlainObject } from './plain-objects.js'
import { sectionName } from './section-name.js'
import { isData, refuseCompressed } from './sections.js'

/** {@link Driver.rows} for PostgreSQL: those of tables, as COPY writes them, without their line feeds. */
export async function* rows(part: PartFormat, body: ByteStream, section: string): AsyncGenerator<Uint8Array> {
  const pieces = part.name === 'dump' ? piecesOfArchive(body, section) : piecesOfPlain(body, section)
  let cut: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    const bytes = cut.length > 0 ? Buffer.concat([cut, piece]) : piece
    let from = 0
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      if (end - from === endOfRows.length && bytes.indexOf(endOfRows, from) === from) return
      yield bytes.subarray(from, end)
      from = end + 1
    }
    cut = bytes.subarray(from)
  }
}

async function* piecesOfArchive(body: ByteStream, section: string): AsyncGenerator<Buffer> {
  const archive = await openArchive(body)
  refuseCompressed(archive)
  const wanted = archive.head.entries.find((entry) => isData(entry) && sectionName(entry) === section)
  let isWanted = false
  let isOver = false
  let found: Buffer[] = []
  const parser = createBlockParser(archive.head.intSize, {
    begin: (id, largeObject) => {
      isWanted = id === wanted?.id && largeObject === undefined
    },
    bytes: (bytes) => {
      if (isWanted) found.push(Buffer.from(bytes))
    },
    end: () => {
      isOver ||= isWanted
      isWanted = false
    },
  })
  for await (const chunk of archive.data) {
    parser.feed(chunk)
    yield* found
    found = []
    if (isOver) return
  }
}

async function* piecesOfPlain(body: ByteStream, section: string): AsyncGenerator<Buffer> {
  let current: PlainObject | undefined
  let found: Buffer[] = []
  const isWanted = (): boolean => current !== undefined && isData(current) && sectionName(current) === section
  const dump = readPlain(body, {
    object: (object) => {
      current = object
    },
    statement: () => {},
    rows: (bytes) => {
      if (isWanted()) found.push(Buffer.from(bytes))
    },
  })
  for await (const _ of dump) {
    yield* found
    found = []
  }
}
