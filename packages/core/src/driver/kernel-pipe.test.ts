import { closeSync, fstatSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRunContext } from '../run-context.js'
import type { Child, ChildIo } from './child.js'
import { startChild } from './child-process.js'
import { type KernelPipe, openPipe } from './kernel-pipe.js'

const ctx = createRunContext()
const start = (script: string, io: Partial<ChildIo>): Child =>
  startChild(
    { name: 'script', command: '/bin/sh', args: ['-c', script] },
    { stdin: 'ignore', stdout: 'ignore', ...io },
    ctx,
  )

async function opened(): Promise<KernelPipe> {
  const pipe = await openPipe()
  if (pipe === undefined) throw new Error('There is no mkfifo')
  return pipe
}

describe('openPipe', () => {
  let parent: string

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'kernel-pipe-'))
    vi.stubEnv('TMPDIR', parent)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(parent, { recursive: true, force: true })
  })

  it('joins two children without losing a byte, and lets the reader see the end', async () => {
    for (let round = 0; round < 10; round++) {
      using pipe = await opened()
      const reader = start('cksum >&2', { stdin: pipe.readEnd })
      const writer = start('seq 200000', { stdout: pipe.writeEnd })
      await writer.done
      expect((await reader.done).stderrTail).toBe('3581800518 1288895')
    }
  })

  it('is a pipe, of which nothing lies in the directory for temporary files', async () => {
    using pipe = await opened()
    expect(fstatSync(pipe.readEnd.descriptor).isFIFO()).toBe(true)
    expect(await readdir(parent)).toEqual([])
  })

  it('kills the writer by SIGPIPE when the reader is gone', async () => {
    using pipe = await opened()
    const reader = start('head -c 1 >/dev/null', { stdin: pipe.readEnd })
    const writer = start('exec yes', { stdout: pipe.writeEnd })
    await reader.done
    await expect(writer.done).rejects.toThrow('SIGPIPE')
  })

  it('reaches no child that it was not given to', async () => {
    using pipe = await opened()
    const other = start(`[ -e /proc/self/fd/${pipe.writeEnd.descriptor} ] && echo inherited >&2; true`, {})
    expect((await other.done).stderrTail).toBe('')
  })

  it('is closed here once it was given away, and may be closed again', async () => {
    const pipe = await opened()
    const reader = start('cat', { stdin: pipe.readEnd })
    expect(() => fstatSync(pipe.readEnd.descriptor)).toThrow('EBADF')
    pipe[Symbol.dispose]()
    pipe[Symbol.dispose]()
    expect(() => closeSync(pipe.writeEnd.descriptor)).toThrow('EBADF')
    await reader.done // sees the end
  })

  it('keeps no descriptor where only one end could be opened', async () => {
    // A directory can be opened for reading, and not for writing.
    await writeFile(join(parent, 'mkfifo'), '#!/bin/sh\nexec /bin/mkdir "$1"\n', { mode: 0o700 })
    vi.stubEnv('PATH', parent)
    const before = await readdir('/proc/self/fd')
    await expect(openPipe()).resolves.toBeUndefined()
    expect(await readdir('/proc/self/fd')).toHaveLength(before.length)
    expect(await readdir(parent)).toEqual(['mkfifo'])
  })

  it.each([
    ['no mkfifo', { PATH: '/nowhere' }],
    ['no directory for temporary files', { TMPDIR: '/nowhere' }],
  ])('is undefined where there is %s', async (_, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    await expect(openPipe()).resolves.toBeUndefined()
  })
})
