import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { privateDirectory, privateFile, spooledFile } from './private-file.js'
import { ownPrefix, processMark, processState, sweepOrphans } from './private-owner.js'

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

  it('can be a directory, wherever there is room', async () => {
    const made = await privateDirectory(directory)
    expect(dirname(made.path)).toBe(directory)
    expect(statSync(made.path).mode & 0o777).toBe(0o700)
    writeFileSync(join(made.path, 'x'), 'text')
    await made[Symbol.asyncDispose]()
    expect(existsSync(made.path)).toBe(false)
  })

  it('are not left by a stream that throws, or an abort', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw new Error('cut here')
    }
    await expect(spooledFile('x', broken(), createRunContext())).rejects.toThrow('cut here')
    async function* lost(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
    }
    await expect(spooledFile('x', lost(), createRunContext())).rejects.toMatchObject({ code: 'ECONNRESET' })
    const reason = new Error('changed my mind')
    const aborted = createRunContext({ signal: AbortSignal.abort(reason) })
    await expect(spooledFile('x', streamOf(Buffer.from('x')), aborted)).rejects.toBe(reason)
    expect(readdirSync(directory)).toEqual([])
  })

  it('say what to do where they cannot be made', async () => {
    async function* full(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    }
    const hint = expect.stringContaining('TMPDIR')
    await expect(spooledFile('x', full(), createRunContext())).rejects.toMatchObject({ code: 'storage-full', hint })
    vi.stubEnv('TMPDIR', join(directory, 'nowhere'))
    const message = expect.stringContaining(`Nothing can be written in ${join(directory, 'nowhere')}`)
    await expect(privateFile('a', 'text')).rejects.toMatchObject({ code: 'config-invalid', message, hint })
  })

  it('are not left by a process that exits', () => {
    const path = pathLeftBy('process.exit(3)')
    expect(path).toContain(directory)
    expect(existsSync(dirname(path))).toBe(false)
  })

  it('of a process that was killed are removed by the next one, and nobody else’s', () => {
    const killed = pathLeftBy(`process.kill(process.pid, 'SIGKILL')`)
    expect(readFileSync(killed, 'utf8')).toBe('text')
    const own = mkdtempSync(join(directory, ownPrefix()))
    const elsewhere = mkdtempSync(
      join(directory, basename(dirname(killed)).replace(/^holdfast-.{8}/, 'holdfast-00000000')),
    )
    const other = mkdtempSync(join(directory, 'holdfast-other-'))
    sweepOrphans(directory)
    expect(existsSync(dirname(killed))).toBe(false)
    for (const kept of [own, elsewhere, other]) expect(existsSync(kept)).toBe(true)
  })

  it('are not looked for behind a link, in a file, or where there is no directory', () => {
    const name = ownPrefix().replace(/-\d+-$/, '-1-')
    const elsewhere = join(directory, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'x'), 'text')
    symlinkSync(elsewhere, join(directory, `${name}abcdef`))
    writeFileSync(join(directory, `${name}ghijkl`), 'text')
    sweepOrphans(directory)
    sweepOrphans(join(directory, 'nowhere'))
    expect(readdirSync(directory).sort()).toEqual(['elsewhere', `${name}abcdef`, `${name}ghijkl`])
    expect(readFileSync(join(elsewhere, 'x'), 'utf8')).toBe('text')
  })

  it('of a process whose id another one has now are removed', () => {
    const before = ownPrefix().replace(/-\d+-$/, '-1-')
    const orphan = mkdtempSync(join(directory, before))
    sweepOrphans(directory)
    expect(existsSync(orphan)).toBe(false)
  })
})

describe('the mark of a process', () => {
  it('tells whether it still runs, where it can be known', () => {
    const own = processMark()
    const [where, , start] = own.split('-')
    expect(processState(own)).toBe('alive')
    expect(processState(`${where}-${process.pid}-1`)).toBe('gone')
    expect(processState(`${where}-${2 ** 30}-${start}`)).toBe('gone')
    expect(processState(own.replace(/^.{8}/, '00000000'))).toBe('unknown')
    expect(processState('anything')).toBe('unknown')
  })
})

/** Where another process makes a private file before it ends. */
function pathLeftBy(end: string): string {
  for (const name of ['private-file.ts', 'private-owner.ts', 'process-identity.ts']) {
    // Types are stripped by Node itself; what comes from other folders is not needed to run this.
    const text = readFileSync(join(import.meta.dirname, name), 'utf8')
      .replace(/^import .*'\.\.\/.*'$/gm, '')
      .replace(/'(\.\/.*)\.js'/g, "'$1.ts'")
    writeFileSync(join(directory, name), text)
  }
  const script = join(directory, 'ends.mjs')
  const lines = [
    `import { writeSync } from 'node:fs'`,
    `import { privateFile } from './private-file.ts'`,
    `const { path } = await privateFile('x', 'text')`,
    'writeSync(1, path)',
    end,
  ]
  writeFileSync(script, lines.join('\n'))
  const { stdout } = spawnSync(process.execPath, ['--no-warnings', script], { env: { TMPDIR: directory } })
  return String(stdout)
}
