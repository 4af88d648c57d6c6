import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isBackupError, Secret } from '@holdfast/core'
import { describe, expect, it, vi } from 'vitest'
import { writePassfile } from './passfile.js'

describe('writePassfile', () => {
  it('escapes, is private, and goes when it is disposed of', async () => {
    const file = await writePassfile(new Secret('a:b\\c é'))
    expect(readFileSync(file.path, 'utf8')).toBe('*:*:*:*:a\\:b\\\\c é\n')
    expect(statSync(file.path).mode & 0o777).toBe(0o600)
    await file[Symbol.asyncDispose]()
    expect(existsSync(file.path)).toBe(false)
  })

  it('leaves nothing in the temp directory while it is in use, on Linux', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    vi.stubEnv('TMPDIR', directory)
    const file = await writePassfile(new Secret('x'))
    vi.unstubAllEnvs()
    expect(readdirSync(directory)).toHaveLength(process.platform === 'linux' ? 0 : 1)
    await file[Symbol.asyncDispose]()
    expect(readdirSync(directory)).toEqual([])
    rmSync(directory, { recursive: true })
  })

  it.each(['a\nb', 'a\rb', 'a\0b'])('refuses what no passfile can hold', async (password) => {
    await expect(writePassfile(new Secret(password))).rejects.toSatisfy((error) =>
      isBackupError(error, 'config-invalid'),
    )
  })
})
