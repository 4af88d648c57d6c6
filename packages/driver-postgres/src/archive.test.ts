import { isBackupError, streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { readArchiveHead } from './archive.js'

/** Writes the beginning of an archive as pg_dump does. */
function archive(
  minor: number,
  entries: readonly { tag: string; kind: string; deps?: readonly number[]; data?: boolean }[],
  count = entries.length,
): Buffer {
  const parts: Buffer[] = []
  const byte = (value: number): void => void parts.push(Buffer.of(value))
  const int = (value: number): void => {
    const bytes = Buffer.alloc(5)
    bytes.writeUInt8(value < 0 ? 1 : 0)
    bytes.writeUInt32LE(Math.abs(value), 1)
    parts.push(bytes)
  }
  const text = (value: string | undefined): void => {
    int(value === undefined ? -1 : Buffer.byteLength(value))
    parts.push(Buffer.from(value ?? ''))
  }
  parts.push(Buffer.from('PGDMP'))
  for (const value of [1, minor, 0, 4, 8, 1]) byte(value)
  if (minor >= 15) byte(0)
  else int(0)
  for (let index = 0; index < 7; index++) int(index)
  for (const value of ['db', '17.2', '17.5 (Debian)']) text(value)
  int(count)
  for (const [index, { tag, kind, deps = [], data = false }] of entries.entries()) {
    int(index + 1)
    int(data ? 1 : 0)
    for (const value of ['1259', '16385', tag, kind]) text(value)
    int(2)
    for (const value of [`MAKE ${tag};`, '', undefined, 'public', '']) text(value)
    if (minor >= 14) text('heap')
    if (minor >= 16) int(114)
    for (const value of ['me', 'false', ...deps.map(String), undefined]) text(value)
    byte(data ? 1 : 3)
    parts.push(Buffer.alloc(8))
  }
  return Buffer.concat(parts)
}

const entries = [
  { tag: 'line\nbreak; "x"', kind: 'TABLE' },
  { tag: 'é', kind: 'TABLE DATA', deps: [1], data: true },
]

describe('readArchiveHead', () => {
  it.each([13, 14, 15, 16])('reads version 1.%d, in pieces of any size', async (minor) => {
    const bytes = Buffer.concat([archive(minor, entries), Buffer.alloc(100_000)])
    for (const size of [1, 7, 1000, bytes.length]) {
      let read = 0
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (; read < bytes.length; read += size) yield bytes.subarray(read, read + size)
      }
      const head = await readArchiveHead(pieces())
      expect(head).toMatchObject({ serverVersion: '17.2', dumpVersion: '17.5 (Debian)' })
      expect(head.entries).toEqual([
        {
          id: 1,
          kind: 'TABLE',
          tag: 'line\nbreak; "x"',
          schema: 'public',
          owner: 'me',
          tablespace: undefined,
          definition: 'MAKE line\nbreak; "x";',
          copyStatement: undefined,
          accessMethod: minor >= 14 ? 'heap' : undefined,
          hasData: false,
          dependencies: [],
        },
        {
          id: 2,
          kind: 'TABLE DATA',
          tag: 'é',
          schema: 'public',
          owner: 'me',
          tablespace: undefined,
          definition: 'MAKE é;',
          copyStatement: undefined,
          accessMethod: minor >= 14 ? 'heap' : undefined,
          hasData: true,
          dependencies: [1],
        },
      ])
    }
  })

  it('stops reading after the head', async () => {
    const bytes = archive(14, entries)
    let returned = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield bytes
        for (;;) yield Buffer.alloc(1000)
      } finally {
        returned = true
      }
    }
    await readArchiveHead(endless())
    expect(returned).toBe(true)
  })

  it.each([
    ['cut', archive(14, entries).subarray(0, -20)],
    ['empty', Buffer.alloc(0)],
    ['of another format', Buffer.from('-- PostgreSQL database dump and more')],
    ['with more entries than there are', archive(14, entries, 1_000_000)],
    ['very old', archive(9, entries)],
  ])('calls one that is %s corrupt', async (_, bytes) => {
    await expect(readArchiveHead(streamOf(bytes))).rejects.toSatisfy((error) => isBackupError(error, 'corrupt'))
  })

  it('says so when the archive is newer than it knows', async () => {
    await expect(readArchiveHead(streamOf(archive(17, entries)))).rejects.toSatisfy((error) =>
      isBackupError(error, 'tool-too-old'),
    )
  })
})
