import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { secretValue } from './config-value.js'
import { Secret } from './secret.js'

const canary = 'hunter2-canary'

describe('a secret', () => {
  it('prints nowhere', () => {
    const secret = new Secret(canary)
    const shown = [
      `${secret}`,
      String(secret),
      secret.toString(),
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }),
      format('%s %o %j', secret, secret, secret),
      `${secret}x`,
    ]
    for (const text of shown) {
      expect(text).not.toContain(canary)
      expect(text).toContain('[secret]')
    }
    expect({ ...secret }).toEqual({})
    expect(secret.reveal()).toBe(canary)
  })
})

describe('a secret in a configuration', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-secret-'))
    process.env.HOLDFAST_TEST_SECRET = canary
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
    delete process.env.HOLDFAST_TEST_SECRET
  })

  it('may be text, a variable, a file or a secret', () => {
    const file = join(directory, 'password')
    writeFileSync(file, `${canary}\n`)
    for (const value of [canary, { env: 'HOLDFAST_TEST_SECRET' }, { file }, new Secret(canary)]) {
      expect(secretValue.parse(value).reveal()).toBe(canary)
    }
  })

  it('that is not there says where it was looked for', () => {
    const empty = join(directory, 'empty')
    writeFileSync(empty, '\n')
    expect(() => secretValue.parse({ env: 'HOLDFAST_NOT_SET' })).toThrow(/HOLDFAST_NOT_SET is not set/)
    expect(() => secretValue.parse({ file: join(directory, 'absent') })).toThrow(/ENOENT/)
    expect(() => secretValue.parse({ file: empty })).toThrow(/is empty/)
    expect(() => secretValue.parse('')).toThrow()
  })
})
