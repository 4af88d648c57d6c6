import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import type { ChildOutput } from '../driver/child-output.js'
import { childOutput } from '../driver/program-output.js'
import { createRunContext, type RunContext } from '../run-context.js'
import { type ZstdOptions, zstd } from './zstd.js'

const ctx = createRunContext()
const dump = (script: string, given = ctx): ChildOutput =>
  childOutput({ name: 'dump', command: '/bin/sh', args: ['-c', script] }, given)
const compressed = (from: ChildOutput, options: ZstdOptions = {}, given: RunContext = ctx) => {
  const { compressProcess } = zstd(options)
  if (compressProcess === undefined) throw new Error('zstd is not installed')
  return compressProcess(from, given)
}

afterEach(() => vi.unstubAllEnvs())

describe('zstd, by its program', () => {
  it('compresses the whole output into one frame with a checksum', async () => {
    for (let i = 0; i < 5; i++) {
      const stored = await readAll(compressed(dump('seq 200000')))
      expect(stored.readUInt8(4) & 0b100).toBe(0b100)
      expect(execFileSync('zstd', ['-dc'], { input: stored, maxBuffer: 2 ** 24 })).toHaveLength(1_288_895)
    }
  })

  it('compresses through sockets where there is no mkfifo', async () => {
    const { compressProcess } = zstd()
    vi.stubEnv('PATH', '/nowhere')
    const stored = await readAll(compressProcess?.(dump('/usr/bin/seq 200000'), ctx) ?? streamOf())
    expect(execFileSync('/usr/bin/zstd', ['-dc'], { input: stored, maxBuffer: 2 ** 24 })).toHaveLength(1_288_895)
  })

  it('compresses an empty output', async () => {
    const stored = await readAll(compressed(dump('true')))
    expect(execFileSync('zstd', ['-dc'], { input: stored })).toHaveLength(0)
  })

  it('obeys the level', async () => {
    const text = 'awk "BEGIN { for (i = 0; i < 20000; i++) print i, i * 7919 % 1000, i % 7 }"'
    const sizes = await Promise.all([1, 19].map((level) => readAll(compressed(dump(text), { level }))))
    expect(sizes[1]?.length).toBeLessThan(sizes[0]?.length ?? 0)
  })

  it('throws, instead of ending, when the dump failed', async () => {
    const from = dump('echo half of it; echo connection lost >&2; exit 1')
    await expect(readAll(compressed(from))).rejects.toThrow('connection lost')
  })

  it('throws when the compressor fails', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-zstd-'))
    const program = join(directory, 'zstd')
    writeFileSync(program, '#!/bin/sh\necho no memory >&2; exit 1\n')
    chmodSync(program, 0o755)
    vi.stubEnv('PATH', directory)
    const stream = compressed(dump('/usr/bin/yes'))
    await expect(readAll(stream)).rejects.toMatchObject({ message: expect.stringContaining('no memory') })
    rmSync(directory, { recursive: true })
  })

  it('ends both programs when the reader stops, and on abort', async () => {
    const from = dump('exec cat /dev/urandom')
    for await (const chunk of compressed(from)) {
      expect(chunk.byteLength).toBeGreaterThan(0)
      break
    }
    await expect(from.done).rejects.toSatisfy((error) => isBackupError(error, 'dump-failed'))

    const controller = new AbortController()
    const aborting = createRunContext({ signal: controller.signal })
    const second = dump('exec cat /dev/urandom', aborting)
    const stream = compressed(second, {}, aborting)[Symbol.asyncIterator]()
    await stream.next()
    controller.abort('enough')
    await expect(second.done).rejects.toBe('enough')
    await expect(
      (async () => {
        while (!(await stream.next()).done);
      })(),
    ).rejects.toBe('enough')
  })

  it('is absent without the program, or when it is not wanted', () => {
    expect(zstd({ program: false })).not.toHaveProperty('compressProcess')
    vi.stubEnv('PATH', '/missing')
    expect(zstd()).not.toHaveProperty('compressProcess')
  })
})
