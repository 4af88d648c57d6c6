import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { type ByteStream, readAll } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import type { DumpPart, DumpSession } from './driver.js'
import { type ProgramPart, programDump } from './program-dump.js'

const ctx = createRunContext()

/** What happened, in order. */
let events: string[]

/** A part that a shell script writes. */
function scripted(name: string, script: string, warnings: readonly string[] = []): ProgramPart {
  return {
    part: { name, mediaType: 'text/plain' },
    async prepare() {
      events.push(`${name} is set up`)
      return {
        spec: { name, command: '/bin/sh', args: ['-c', script] },
        messages: { warnings },
        async [Symbol.asyncDispose]() {
          events.push(`${name} is gone`)
        },
      }
    },
    onStart: () => void events.push(`${name} starts`),
  }
}

function dumpOf(parts: readonly ProgramPart[], given = ctx): DumpSession {
  events = []
  return programDump(
    {
      parts,
      report: (warnings) => ({ serverVersion: '1', tools: {}, warnings: [...warnings], options: {}, recover: 'sh' }),
      close: async () => void events.push('closed'),
    },
    given,
  )
}

function bodyOf(part: DumpPart): ByteStream {
  const taken = part.take()
  return taken.kind === 'process' ? taken.output.read() : taken.body
}

async function nextOf({ parts }: DumpSession): Promise<DumpPart> {
  const next = await parts[Symbol.asyncIterator]().next()
  return next.value as DumpPart
}

describe('programDump', () => {
  it('runs one program after the other, and reports what they warned of', async () => {
    const session = dumpOf([scripted('one', 'printf 1', ['first']), scripted('two', 'printf 2', ['second'])])
    const texts: string[] = []
    for await (const part of session.parts) texts.push(`${part.name} ${await readAll(bodyOf(part))}`)
    expect(texts).toEqual(['one 1', 'two 2'])
    expect(await session.done).toMatchObject({ warnings: ['first', 'second'] })
    await session[Symbol.asyncDispose]()
    const each = (name: string): string[] => [`${name} is set up`, `${name} starts`, `${name} is gone`]
    expect(events).toEqual([...each('one'), ...each('two'), 'closed'])
  })

  it('gives a part away once', async () => {
    const session = dumpOf([scripted('one', 'printf 1')])
    for await (const part of session.parts) {
      const body = bodyOf(part)
      expect(() => part.take()).toThrow('The part one was taken twice')
      await readAll(body)
    }
    await session[Symbol.asyncDispose]()
  })

  it('fails as its program does', async () => {
    const session = dumpOf([scripted('one', 'printf 1; exit 3'), scripted('two', 'printf 2')])
    for await (const part of session.parts) await readAll(bodyOf(part)).catch(() => {})
    await expect(session.done).rejects.toMatchObject({ code: 'dump-failed', message: /one ended with exit code 3/ })
    await session[Symbol.asyncDispose]()
  })

  it('fails where a program cannot be set up', async () => {
    const failure = new BackupError('config-invalid', { message: 'no such thing' })
    const session = dumpOf([{ part: { name: 'one', mediaType: 'text/plain' }, prepare: () => Promise.reject(failure) }])
    await expect(nextOf(session)).rejects.toBe(failure)
    await expect(session.done).rejects.toBe(failure)
  })

  it('that is given up ends what runs, and closes what is open', async () => {
    const session = dumpOf([scripted('one', 'exec sleep 600')])
    const reading = readAll(bodyOf(await nextOf(session)))
    const ended = expect(reading).rejects.toMatchObject({ code: 'aborted' })
    await session[Symbol.asyncDispose]()
    await ended
    await expect(session.done).rejects.toMatchObject({ code: 'aborted' })
    expect(events.slice(-2)).toEqual(['one is gone', 'closed'])
  })
})
