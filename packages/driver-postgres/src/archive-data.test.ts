import { describe, expect, it } from 'vitest'
import { createBlockParser } from './archive-data.js'

function int(value: number, size = 4): Buffer {
  const bytes = Buffer.alloc(size + 1)
  bytes.writeUInt8(value < 0 ? 1 : 0)
  bytes.writeUInt32LE(Math.abs(value), 1)
  return bytes
}

const pieces = (size: number, ...texts: string[]): Buffer =>
  Buffer.concat([...texts.flatMap((text) => [int(text.length, size), Buffer.from(text)]), int(0, size)])

/** Two tables, an empty one, and large objects, of which one has an OID above 2^31. */
const archiveOf = (size: number): Buffer =>
  Buffer.concat([
    Buffer.of(1),
    int(7, size),
    pieces(size, '1\ta\n', '2\t', 'b\n'),
    Buffer.of(1),
    int(8, size),
    pieces(size),
    Buffer.of(3),
    int(9, size),
    int(990_001, size),
    pieces(size, 'large', ' object'),
    int(-1, size),
    pieces(size, 'last'),
    int(0, size),
    Buffer.of(3),
    int(10, size),
    int(0, size),
  ])

function parse(bytes: Buffer, chunkSize: number, size: number): { texts: Record<string, string>; blocks: number[] } {
  const texts: Record<string, string> = {}
  const blocks: number[] = []
  let current = ''
  const parser = createBlockParser(size, {
    block: (id) => void blocks.push(id),
    begin: (id, object) => {
      current = object === undefined ? `${id}` : `${id}/${object}`
      texts[current] = ''
    },
    bytes: (data) => {
      texts[current] += data.toString()
    },
    end: () => {
      texts[current] += '.'
    },
  })
  for (let at = 0; at < bytes.length; at += chunkSize) parser.feed(bytes.subarray(at, at + chunkSize))
  parser.end()
  return { texts, blocks }
}

describe('createBlockParser', () => {
  it.each([1, 2, 3, 5, 7, 11, 1000])('takes blocks apart that come %d bytes at a time', (chunkSize) => {
    for (const size of [4, 8]) {
      expect(parse(archiveOf(size), chunkSize, size)).toEqual({
        texts: { 7: '1\ta\n2\tb\n.', 8: '.', '9/990001': 'large object.', '9/4294967295': 'last.' },
        blocks: [7, 8, 9, 10],
      })
    }
  })

  it('does not change what it is given', () => {
    const bytes = archiveOf(4)
    const before = Buffer.from(bytes)
    parse(bytes, bytes.length, 4)
    expect(bytes.equals(before)).toBe(true)
  })

  it('calls data corrupt that end within a block, wherever that is', () => {
    const bytes = archiveOf(4)
    const first = Buffer.concat([Buffer.of(1), int(7), pieces(4, '1\ta\n', '2\t', 'b\n')]).length
    const betweenBlocks = [0, first, first + 11, bytes.length - 11]
    for (let length = 0; length < bytes.length; length++) {
      const reading = (): unknown => parse(bytes.subarray(0, length), 64, 4)
      if (betweenBlocks.includes(length)) expect(reading).not.toThrow()
      else expect(reading, `${length} bytes`).toThrow(expect.objectContaining({ code: 'corrupt' }))
    }
  })

  it.each([
    ['kinds of blocks that there are not', Buffer.of(9, 0, 0, 0, 0, 0)],
    ['lengths below zero', Buffer.concat([Buffer.of(1), int(1), int(-5)])],
  ])('refuses %s', (_, bytes) => {
    expect(() => parse(bytes, 100, 4)).toThrow(/no whole archive/)
  })
})
