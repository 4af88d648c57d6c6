import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { zstd } from './zstd.js'

/** RFC 8878, 3.1.1.1.2: the sixth byte of a frame whose length was not known is the window, as a power of two. */
async function windowLog(level: number): Promise<number> {
  const plain = Buffer.from('a row of a table\n'.repeat(100_000))
  const frame = await readAll(zstd({ level, program: false }).compress(streamOf(plain), createRunContext()))
  return 10 + (frame.readUInt8(5) >> 3)
}

describe('the window of zstd', () => {
  it('is 4 MiB at the default level, and what the level says otherwise', async () => {
    expect(await windowLog(3)).toBe(22)
    expect(await windowLog(1)).toBe(19)
  })
})
