import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { lend } from '../stream/lent-block.js'
import type { Child, ChildIo } from './child.js'
import { startChild } from './child-process.js'
import { readFromChild, writeToChild } from './child-streams.js'
import { childOutput } from './program-output.js'

const ctx = createRunContext()
const isFailed = (error: unknown): boolean => isBackupError(error, 'dump-failed')
const shell = (script: string) => ({ name: 'script', command: '/bin/sh', args: ['-c', script] })
const start = (script: string, io: Partial<ChildIo> = {}, given = ctx): Child =>
  startChild(shell(script), { stdin: 'ignore', stdout: 'ignore', ...io }, given)
const reading = { stdout: 'pipe' } as const
const writing = { stdin: 'pipe' } as const

describe('readFromChild', () => {
  it('yields all that the child writes', async () => {
    const text = await readAll(readFromChild(start('seq 300000', reading)))
    expect(text.toString()).toBe(Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join(''))
  })

  it('yields all that a child has written which ended before anybody read', async () => {
    for (const [script, bytes] of [
      ['printf hello', 5],
      ['head -c 60000 /dev/zero', 60_000],
    ] as const) {
      const child = start(script, reading)
      await child.done
      for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
      expect((await readAll(readFromChild(child))).length).toBe(bytes)
    }
  })

  it('ends, of a child that is not read from, with that child', async () => {
    const child = start('printf hello', reading)
    expect((await child.done).code).toBe(0)
  })

  it('joins small writes into blocks', async () => {
    const child = start('for i in 1 2 3 4 5 6 7; do printf 0123456789; done', reading)
    const sizes: number[] = []
    for await (const block of readFromChild(child, { blockBytes: 16 })) sizes.push(block.byteLength)
    expect(sizes).toEqual([16, 16, 16, 16, 6])
    const exact = await readAll(readFromChild(start('printf 01234567', reading), { blockBytes: 8 }))
    expect(exact.toString()).toBe('01234567')
  })

  it.each([undefined, 65_536])('runs no further ahead than it must (blocks of %s)', async (blockBytes) => {
    const child = start('yes', reading)
    const output = readFromChild(child, blockBytes === undefined ? {} : { blockBytes })
    await output.next()
    let seen = -1
    await vi.waitUntil(() => {
      const before = seen
      seen = (child.stdout as NonNullable<Child['stdout']>).readableLength
      return seen === before
    }, 20_000)
    expect(seen).toBeLessThan(300_000)
    await output.return(undefined)
    await expect(child.done).rejects.toSatisfy((error) => isBackupError(error, 'aborted'))
  })

  it('throws at the end when the child failed after all its output', async () => {
    let seen = ''
    const read = async (): Promise<void> => {
      for await (const chunk of readFromChild(start('echo all of it; exit 1', reading))) seen += chunk
    }
    await expect(read()).rejects.toSatisfy(isFailed)
    expect(seen).toBe('all of it\n')
  })

  it('rethrows the reason of an abort', async () => {
    const controller = new AbortController()
    const child = start('yes', reading, createRunContext({ signal: controller.signal }))
    const output = readFromChild(child)
    await output.next()
    controller.abort('enough')
    await expect(readAll(output)).rejects.toBe('enough')
  })

  it('explains why a child could not be started', async () => {
    const child = startChild({ ...shell('true'), cwd: '/missing' }, { stdin: 'pipe', stdout: 'pipe' }, ctx)
    await expect(readAll(readFromChild(child))).rejects.toThrow('could not be started')
    await expect(writeToChild(child, streamOf(Buffer.alloc(10)))).rejects.toThrow('could not be started')
  })

  it('throws when the pipe breaks but the child says that all is well', async () => {
    const child = start('exec >&-; read line', { stdin: 'pipe', ...reading })
    const output = readAll(readFromChild(child))
    child.stdout?.destroy(new Error('broken pipe'))
    child.stdin?.end()
    await expect(output).rejects.toThrow('broken pipe')
  })

  it('needs a pipe', async () => {
    await expect(readAll(readFromChild(start('true')))).rejects.toThrow('without the pipe')
    await expect(writeToChild(start('true'), streamOf())).rejects.toThrow('without the pipe')
  })
})

describe('writeToChild', () => {
  const megabytes = async function* (count: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield Buffer.alloc(1_000_000, i)
  }

  it('feeds the child, closes its input and waits for its end', async () => {
    const child = start('sha256sum >&2', writing)
    const hash = createHash('sha256')
    for await (const chunk of megabytes(20)) hash.update(chunk)
    const { stderrTail } = await writeToChild(child, megabytes(20))
    expect(stderrTail).toBe(`${hash.digest('hex')}  -`)
  })

  it('reads a chunk no more once it asks for the next, so that its memory can hold that', async () => {
    const expected = createHash('sha256')
    const reused = Buffer.alloc(4_096)
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 1_000; i++) {
        reused.fill(i)
        expected.update(reused)
        yield reused
      }
    }
    const { stderrTail } = await writeToChild(start('sleep 0.2; sha256sum >&2', writing), source())
    expect(stderrTail).toBe(`${expected.digest('hex')}  -`)
  })

  it('gives back what it has written', async () => {
    const back: number[] = []
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 3; i++) yield lend(Buffer.alloc(100_000, i), ([first]) => back.push(first as number))
    }
    await writeToChild(start('cat >/dev/null', writing), source())
    expect(back).toEqual([0, 1, 2])
  })

  it('kills the child before its input is closed when the source breaks', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
    const committed = join(directory, 'committed')
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* megabytes(2)
      throw new Error('cut here')
    }
    try {
      // As psql -1 does: the end of the input means commit.
      const child = start(`cat > /dev/null; touch ${committed}`, writing)
      await expect(writeToChild(child, broken())).rejects.toThrow('cut here')
      await expect(child.done).rejects.toThrow('cut here')
      expect(existsSync(committed)).toBe(false)
      await writeToChild(start(`cat > /dev/null; touch ${committed}`, writing), megabytes(2))
      expect(existsSync(committed)).toBe(true)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('throws the error of a child that dies, and gives the source back', async () => {
    let returned = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(100_000)
      } finally {
        returned = true
      }
    }
    const child = start('head -c 150000 > /dev/null; echo relation exists >&2; exit 3', writing)
    await expect(writeToChild(child, endless())).rejects.toThrow('relation exists')
    await vi.waitUntil(() => returned, 20_000)
  })

  it('does not wait for a source that hangs when the child dies', async () => {
    async function* hanging(): AsyncGenerator<Uint8Array> {
      await new Promise(() => {})
    }
    await expect(writeToChild(start('exit 3', writing), hanging())).rejects.toSatisfy(isFailed)
    const bare: ByteStream = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
    await expect(writeToChild(start('exit 3', writing), bare)).rejects.toSatisfy(isFailed)
  })

  it('reads what the child did not want, so that damage in it is found', async () => {
    let given = 0
    async function* counted(broken: boolean): AsyncGenerator<Uint8Array> {
      for await (const chunk of megabytes(10)) {
        given += chunk.byteLength
        yield chunk
      }
      if (broken) throw new Error('wrong hash')
    }
    expect(await writeToChild(start('head -c 10 > /dev/null', writing), counted(false))).toMatchObject({ code: 0 })
    expect(given).toBe(10_000_000)
    await expect(writeToChild(start('head -c 10 > /dev/null', writing), counted(true))).rejects.toThrow('wrong hash')
  })

  it('drops what the child did not want when it is told so', async () => {
    let ended = false
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* megabytes(100)
      ended = true
    }
    const child = start('head -c 10 > /dev/null', writing)
    expect(await writeToChild(child, source(), { rest: 'drop' })).toMatchObject({ code: 0 })
    expect(ended).toBe(false)
  })

  it('rethrows the reason of an abort', async () => {
    const controller = new AbortController()
    const child = start('exec sleep 1000', writing, createRunContext({ signal: controller.signal }))
    const feeding = writeToChild(child, megabytes(100))
    controller.abort('enough')
    await expect(feeding).rejects.toBe('enough')
  })
})

describe('childOutput', () => {
  const output = (script: string, given = ctx) => childOutput(shell(script), given)
  const hashInto = (sink: (stdin: Writable) => void): Promise<{ stderrTail: string }> => {
    const child = start('sha256sum >&2', writing)
    sink(child.stdin as Writable)
    return child.done
  }

  it('starts the program when it is read', async () => {
    const { read, done } = output('echo hello')
    expect((await readAll(read())).toString()).toBe('hello\n')
    await expect(done).resolves.toBeUndefined()
  })

  it('is read in blocks of 1 MiB', async () => {
    const sizes: number[] = []
    for await (const block of output('head -c 3000000 /dev/zero').read()) sizes.push(block.byteLength)
    expect(sizes).toEqual([1_048_576, 1_048_576, 902_848])
  })

  it('hands over to another child without losing a byte', async () => {
    const expected = createHash('sha256')
      .update(Buffer.from('abcdefg\n'.repeat(100_000)))
      .digest('hex')
    for (let i = 0; i < 10; i++) {
      const { startInto, done } = output('yes abcdefg | head -n 100000')
      expect((await hashInto(startInto)).stderrTail).toBe(`${expected}  -`)
      await done
    }
  })

  it('tells whether what went to the other child was all', async () => {
    const { startInto, done } = output('echo half; echo server gone >&2; exit 1')
    await hashInto(startInto)
    await expect(done).rejects.toThrow('server gone')
  })

  it('lets the other child see the end when the program is not there', async () => {
    const { startInto, done } = childOutput({ name: 'pg_dump', command: '/missing', args: [] }, ctx)
    const { stderrTail } = await hashInto(startInto)
    expect(stderrTail).toContain(createHash('sha256').digest('hex'))
    await expect(done).rejects.toSatisfy((error) => isBackupError(error, 'tool-missing'))
  })

  it('throws for a program that is not there when it is read', async () => {
    const { read, done } = childOutput({ name: 'pg_dump', command: '/missing', args: [] }, ctx)
    await expect(readAll(read())).rejects.toSatisfy((error) => isBackupError(error, 'tool-missing'))
    await expect(done).rejects.toSatisfy((error) => isBackupError(error, 'tool-missing'))
  })

  it('can be taken once', async () => {
    const { read, startInto } = output('echo hello')
    await readAll(read())
    await expect(readAll(read())).rejects.toSatisfy((error) => isBackupError(error, 'internal'))
    await hashInto(startInto) // ends: the sink was closed
  })

  it('knows of an abort before anybody took it', async () => {
    const controller = new AbortController()
    const { done, read } = output('echo hello', createRunContext({ signal: controller.signal }))
    controller.abort('enough')
    await expect(done).rejects.toBe('enough')
    await expect(readAll(read())).rejects.toBe('enough')
    await expect(output('true', createRunContext({ signal: controller.signal })).done).rejects.toBe('enough')
  })
})
