import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { afterAll, expect, it, vi } from 'vitest'
import { connectionFrom } from './connection.js'
import { postgresOptions } from './options.js'
import { passwordFromFile } from './password-file.js'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-passfile-'))
afterAll(() => rmSync(directory, { recursive: true }))

const warnings: string[] = []
const nothing = (): void => {}
const log = { debug: nothing, info: nothing, error: nothing, warn: (line: string) => void warnings.push(line) }
const ctx = createRunContext({ log })

function passwordFor(url: string): string | undefined {
  const connection = connectionFrom(postgresOptions.parse({ url }))
  return passwordFromFile(connection, connection.endpoints[0], ctx)?.reveal()
}

it('takes the first line that fits, as libpq does', () => {
  const path = join(directory, 'pgpass')
  const lines = [
    '# db:5432:shop:app:a comment',
    'not enough:fields',
    'db:5433:shop:app:other port',
    'db:5432:sh\\:op:app:a\\:b\\\\c:d',
    'db:*:*:app:any database\r',
    'localhost:*:*:*:by socket',
    '10.0.0.7:5432:shop:app:by address',
    'empty:*:*:*:',
    'empty:*:*:*:too late',
    'slash:*:*:*:end\\',
  ]
  writeFileSync(path, lines.join('\n'), { mode: 0o600 })
  vi.stubEnv('PGPASSFILE', path)
  expect(passwordFor('postgres://app@db:5433/shop')).toBe('other port')
  expect(passwordFor('postgres://app@db/sh%3Aop')).toBe('a:b\\c') // psql reads no further
  expect(passwordFor('postgres://app@db/shop')).toBe('any database')
  expect(passwordFor('postgres://app@/shop?host=/var/run/postgresql')).toBe('by socket')
  expect(passwordFor('postgres://app@/shop?hostaddr=10.0.0.7')).toBe('by address')
  expect(passwordFor('postgres://somebody@db/shop')).toBeUndefined()
  expect(passwordFor('postgres://app@empty/shop')).toBeUndefined()
  expect(passwordFor('postgres://app@slash/shop')).toBe('end\\')
  vi.unstubAllEnvs()
})

it('does without a file that is not there, and without one that others may read', () => {
  vi.stubEnv('PGPASSFILE', undefined)
  vi.stubEnv('HOME', directory)
  expect(passwordFor('postgres://app@db/shop')).toBeUndefined()
  const path = join(directory, '.pgpass')
  writeFileSync(path, '*:*:*:*:secret\n')
  chmodSync(path, 0o644)
  expect(passwordFor('postgres://app@db/shop')).toBeUndefined()
  expect(warnings).toEqual([expect.stringContaining(`chmod 0600 ${path}`)])
  chmodSync(path, 0o600)
  expect(passwordFor('postgres://app@db/shop')).toBe('secret')
  vi.unstubAllEnvs()
})
