import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isBackupError, Secret } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { writePassfile } from './passfile.js'

describe('writePassfile', () => {
  it('escapes, is private, and goes when it is disposed of', async () => {
    const file = await writePassfile(new Secret('a:b\\c é'))
    expect(readFileSync(file.path, 'utf8')).toBe('*:*:*:*:a\\:b\\\\c é\n')
    expect(statSync(file.path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file.path)).mode & 0o777).toBe(0o700)
    await file[Symbol.asyncDispose]()
    expect(existsSync(dirname(file.path))).toBe(false)
  })

  it.each(['a\nb', 'a\rb', 'a\0b'])('refuses what no passfile can hold', async (password) => {
    await expect(writePassfile(new Secret(password))).rejects.toSatisfy((error) =>
      isBackupError(error, 'config-invalid'),
    )
  })
})
