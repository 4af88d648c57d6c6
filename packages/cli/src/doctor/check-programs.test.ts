import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cipher, Driver } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkPrograms, checkRuntime, type NeedsPrograms } from './check-programs.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-programs-'))
  vi.stubEnv('PATH', directory)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

/** A program that says of itself what the real one says. */
function install(name: string, says: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 })
}

const job = (engine: string, cipher?: string): NeedsPrograms => ({
  source: { engine } as Driver,
  ...(cipher && { encrypt: { id: cipher } as Cipher }),
})

const found = async (...jobs: NeedsPrograms[]) =>
  (await checkPrograms(jobs)).map(({ level, about, text }) => `${level} ${about}: ${text}`)

describe('checkPrograms', () => {
  it('lists those of MySQL and MariaDB, whatever they are called', async () => {
    install('mariadb-dump', 'mariadb-dump from 11.8.9-MariaDB, client 10.20 for Linux')
    install('mysql', 'mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)')
    expect(await found(job('mysql'), job('mysql'))).toEqual([
      expect.stringContaining(`good mysqldump or mariadb-dump: mariadb-dump 11.8.9 (${directory}/mariadb-dump)`),
      expect.stringContaining(`good mysql or mariadb: mysql 9.7.4 (${directory}/mysql)`),
    ])
  })

  it('lists those of the engines that are configured, and of all where none is', async () => {
    expect(await found(job('sqlite'))).toEqual(['good SQLite: runs within Node.js; no program is needed'])
    expect((await checkPrograms([job('postgres'), job('sqlite')])).map(({ about }) => about)).toEqual([
      'pg_dump',
      'pg_restore',
      'psql',
      'SQLite',
    ])
    expect((await checkPrograms([])).map(({ about }) => about)).toContain('mysqldump or mariadb-dump')
  })

  it('looks for the programs of the encryption that is configured', async () => {
    const missing = await checkPrograms([job('sqlite', 'age'), job('sqlite', 'gpg')])
    expect(missing.slice(1)).toEqual([
      expect.objectContaining({
        level: 'warning',
        about: 'age',
        advice: expect.stringContaining('apt-get install age'),
      }),
      expect.objectContaining({ level: 'warning', about: 'gpg', advice: expect.stringContaining('install gnupg') }),
    ])
    install('age', 'v1.1.1')
    install('gpg', 'gpg (GnuPG) 2.2.40')
    expect((await found(job('sqlite', 'age'), job('sqlite', 'gpg'))).slice(1)).toEqual([
      `good age: 1.1.1 (${directory}/age)`,
      `good gpg: 2.2.40 (${directory}/gpg)`,
    ])
  })
})

it('checkRuntime tells of a compressor that is there and does not run', async () => {
  writeFileSync(join(directory, 'zstd'), '#!/bin/sh\nexit 127\n', { mode: 0o755 })
  expect((await checkRuntime())[1]).toMatchObject({ level: 'warning', text: `${directory}/zstd does not run` })
})

it('checkRuntime tells of Node, and of a compressor that is missing', async () => {
  expect(await checkRuntime()).toEqual([
    { level: 'good', about: 'Node.js', text: process.versions.node },
    expect.objectContaining({ level: 'warning', about: 'zstd' }),
  ])
  install('zstd', '*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***')
  expect((await checkRuntime())[1]).toMatchObject({ level: 'good', text: `1.5.4 (${directory}/zstd)` })
})
