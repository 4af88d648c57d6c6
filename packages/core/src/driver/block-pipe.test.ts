import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readAll } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { giveBack } from '../stream/lent-block.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { type BlockPipe, openBlockPipe } from './block-pipe.js'
import type { ChildSpec } from './child.js'
import { startChild } from './child-process.js'
import { readFromChild } from './child-streams.js'
import { childOutput } from './program-output.js'

const ctx = createRunContext()
const KiB = 1_024

async function opened(blockBytes: number): Promise<BlockPipe> {
  const pipe = await openBlockPipe(blockBytes)
  if (pipe === undefined) throw new Error('There is no mkfifo')
  return pipe
}

function outputOf(
  script: string,
  pipe: BlockPipe,
  limits: Partial<ChildSpec> = {},
  using = ctx,
): AsyncGenerator<Uint8Array> {
  const spec = { name: 'script', command: '/bin/sh', args: ['-c', script], ...limits }
  const { writeEnd: stdout, waitsForUs } = pipe
  return readFromChild(startChild(spec, { stdin: 'ignore', stdout, waitsForUs }, using), { from: pipe })
}

describe('a block pipe', () => {
  let parent: string

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'block-pipe-'))
    vi.stubEnv('TMPDIR', parent)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(parent, { recursive: true, force: true })
  })

  it.each([
    ['nothing', 0],
    ['one byte', 1],
    ['less than a block', 64 * KiB - 1],
    ['a block', 64 * KiB],
    ['three blocks', 192 * KiB],
    ['much, and a rest', 10_000_001],
  ])('yields what the child writes: %s', async (_, bytes) => {
    using pipe = await opened(64 * KiB)
    const numbers = `awk 'BEGIN { for (i = 0; ; i++) print i }' | head -c ${bytes}`
    const sizes: number[] = []
    const hash = createHash('sha256')
    for await (const block of outputOf(numbers, pipe)) {
      sizes.push(block.byteLength)
      hash.update(block)
    }
    expect(sizes.slice(0, -1).every((size) => size === 64 * KiB)).toBe(true)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(numbersUpTo(bytes)).digest('hex'))
  })

  it('does not fill a block again that it has given away', async () => {
    using pipe = await opened(4)
    const blocks: Uint8Array[] = []
    for await (const block of outputOf('printf aaaabbbbccccdd', pipe)) blocks.push(block)
    expect(blocks.map((block) => Buffer.from(block).toString())).toEqual(['aaaa', 'bbbb', 'cccc', 'dd'])
  })

  it('fills a block again once it is given back', async () => {
    using pipe = await opened(4)
    const blocks = new Set<Uint8Array>()
    const texts: string[] = []
    for await (const block of outputOf('printf aaaabbbbccccdddd', pipe)) {
      blocks.add(block)
      texts.push(Buffer.from(block).toString())
      giveBack(block)
    }
    expect(texts).toEqual(['aaaa', 'bbbb', 'cccc', 'dddd'])
    expect(blocks.size).toBeLessThanOrEqual(2)
  })

  it('runs no further ahead than two blocks and what the kernel keeps', async () => {
    using pipe = await opened(64 * KiB)
    using another = await opened(64 * KiB)
    const written = async (name: string): Promise<number> => (await readdir(join(parent, name))).length
    const output = async (name: string, into: BlockPipe): Promise<AsyncGenerator<Uint8Array>> => {
      await mkdir(join(parent, name))
      return outputOf(`for i in $(seq 100); do head -c 65536 /dev/zero; : > '${parent}/${name}'/$i; done`, into)
    }
    const waiting = await output('waiting', pipe)
    await waiting.next()
    // By when a child that began later has written all, one that nothing held up would have as well.
    await readAll(await output('read', another))
    expect(await written('read')).toBe(100)
    expect(await written('waiting')).toBeLessThan(12)
    await waiting.return(undefined)
  })

  it('tells the watchdog when bytes of the child wait for us', async () => {
    using pipe = await opened(64 * KiB)
    const clock = createFakeClock()
    const limits = { idleTimeoutMs: 100 }
    const output = outputOf('head -c 1000000 /dev/zero', pipe, limits, createRunContext({ clock }))
    const first = (await output.next()).value?.byteLength ?? 0
    await expect.poll(pipe.waitsForUs, { timeout: 20_000 }).toBe(true)
    await clock.advance(1_000) // the child is stuck, but not by its own doing
    expect(first + (await readAll(output)).byteLength).toBe(1_000_000)
  })

  it('ends in the error of a child that failed after its output', async () => {
    using pipe = await opened(64 * KiB)
    await expect(readAll(outputOf('printf partial; exit 3', pipe))).rejects.toThrow('exit code 3')
  })

  it('leaves nothing in the directory for temporary files', async () => {
    using pipe = await opened(KiB)
    await readAll(outputOf('printf hello', pipe))
    expect(await readdir(parent)).toEqual([])
  })

  it('is done without where there is no mkfifo', async () => {
    vi.stubEnv('PATH', parent)
    await expect(openBlockPipe(KiB)).resolves.toBeUndefined()
    const { read } = childOutput({ name: 'script', command: '/bin/sh', args: ['-c', 'printf hello'] }, ctx)
    expect((await readAll(read())).toString()).toBe('hello')
  })
})

function numbersUpTo(bytes: number): Buffer {
  const lines: string[] = []
  for (let i = 0, length = 0; length < bytes; i++) length += lines[lines.push(`${i}\n`) - 1]?.length ?? 0
  return Buffer.from(lines.join('')).subarray(0, bytes)
}
