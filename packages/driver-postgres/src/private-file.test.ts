import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createRunContext, streamOf } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { privateFile, spooledFile } from './private-file.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  vi.stubEnv('TMPDIR', directory)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

describe('private files', () => {
  it('may be read by nobody else, and go when they are disposed of', async () => {
    const ctx = createRunContext()
    for (const file of [
      await privateFile('a', 'text'),
      await spooledFile('b', streamOf(Buffer.from('te'), Buffer.from('xt')), ctx),
    ]) {
      expect(readFileSync(file.path, 'utf8')).toBe('text')
      expect(statSync(file.path).mode & 0o777).toBe(0o600)
      expect(statSync(dirname(file.path)).mode & 0o777).toBe(0o700)
      await file[Symbol.asyncDispose]()
      expect(existsSync(dirname(file.path))).toBe(false)
    }
  })

  it('are not left by a stream that throws, or an abort', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw new Error('cut here')
    }
    await expect(spooledFile('x', broken(), createRunContext())).rejects.toThrow('cut here')
    const reason = new Error('changed my mind')
    const aborted = createRunContext({ signal: AbortSignal.abort(reason) })
    await expect(spooledFile('x', streamOf(Buffer.from('x')), aborted)).rejects.toBe(reason)
    expect(readdirSync(directory)).toEqual([])
  })

  it('are not left by a process that exits', () => {
    const script = join(directory, 'exit.mjs')
    const source = join(import.meta.dirname, 'private-file.ts')
    // Types are stripped by Node itself; the one import from a workspace package is not needed to run this.
    const text = readFileSync(source, 'utf8').replace(/^import .*@holdfast\/core'$/m, '')
    writeFileSync(join(directory, 'private-file.ts'), text)
    writeFileSync(
      script,
      `import { privateFile } from './private-file.ts'\nconst { path } = await privateFile('x', 'text')\nconsole.log(path)\nprocess.exit(3)\n`,
    )
    let printed = ''
    try {
      execFileSync(process.execPath, ['--no-warnings', script], {
        env: { TMPDIR: directory },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      printed = String((error as { stdout: Buffer }).stdout)
    }
    expect(printed).toContain(directory)
    expect(existsSync(dirname(printed.trim()))).toBe(false)
  })
})
