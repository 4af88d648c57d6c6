import { readAll, streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { wholeFile } from './file-header.js'

const size = 8_192

/** The first bytes of a database of two pages of 4 KiB, and zeros. */
function database(): Buffer {
  const file = Buffer.alloc(size)
  file.write('SQLite format 3\0', 'latin1')
  file.writeUInt16BE(4_096, 16)
  file.writeUInt32BE(2, 28)
  return file
}

describe('a database file', () => {
  it('passes as it is, however it is cut into chunks', async () => {
    const file = database()
    expect(await readAll(wholeFile(streamOf(file)))).toEqual(file)
    expect(await readAll(wholeFile(streamOf(file.subarray(0, 50), file.subarray(50))))).toEqual(file)
  })

  it('gives out nothing beyond the length that its header says', async () => {
    let given = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield database()
      for (;;) yield Buffer.alloc(65_536)
    }
    const drained = async (): Promise<void> => {
      for await (const chunk of wholeFile(endless())) given += chunk.length
    }
    await expect(drained()).rejects.toThrow('it has at least 73728 bytes, and its header says 8192')
    expect(given).toBe(size)
  })

  it.each([
    ['something else', streamOf(Buffer.alloc(200), Buffer.alloc(65_536)), 'it does not begin as one'],
    ['too short for a header', streamOf(database().subarray(0, 99)), 'it has 99 bytes, not even a header'],
    ['cut short', streamOf(database().subarray(0, 5_000)), 'it has 5000 bytes, and its header says 8192'],
  ])('that is %s is refused', async (_, body, problem) => {
    await expect(readAll(wholeFile(body))).rejects.toMatchObject({
      code: 'corrupt',
      message: `The dump is no whole SQLite file: ${problem}`,
    })
  })
})
