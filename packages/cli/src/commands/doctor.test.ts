import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BackupError, type Storage } from '@holdfast/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fakeProject, someTables } from '../testing/fake-project.js'
import { runIn, testWorld } from '../testing/test-world.js'

describe('holdfast doctor', () => {
  it('looks at everything, and finds it well', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup')
    await runIn({ cwd }, 'verify')
    const { code, out } = await runIn({ cwd }, 'doctor')
    expect(out).toContain(`configuration: ${cwd}/holdfast.config.mjs`)
    expect(out).toContain('storage offsite: can be written, read, listed and deleted from')
    expect(out).toContain('source of shop: 3 tables, 7.63 MiB, UTF8')
    expect(out).toContain('extensions, which a server to restore on needs too: postgis')
    expect(out).toContain('backups of stock: it was verified just now')
    expect(out).toMatch(/All well/)
    expect(code).toBe(0)
  })

  it('prints its findings as JSON', async () => {
    const { cwd } = fakeProject()
    const { json } = await runIn({ cwd }, 'doctor', 'shop', '--json')
    const { status, exitCode, findings } = json() as { status: string; exitCode: number; findings: { about: string }[] }
    expect([status, exitCode]).toEqual(['well', 0])
    expect(findings).toContainEqual({
      level: 'warning',
      about: 'backups of shop',
      text: 'there is none yet',
      advice: 'Run: holdfast backup shop',
    })
    expect(findings.some(({ about }) => about.includes('stock'))).toBe(false)
  })

  it('says what to do about a database', async () => {
    const { cwd, shop, stock } = fakeProject()
    shop.failure = new BackupError('source-unreachable', { message: 'no answer from db:5432', hint: 'Check the host.' })
    stock.info = { ...someTables, unreadable: ['a', 'b', 'c', 'd', 'e', 'f'] }
    const { code, out } = await runIn({ cwd }, 'doctor')
    expect(code).toBe(4)
    expect(out).toContain('FAIL source of shop: no answer from db:5432\n     → Check the host.')
    expect(out).toContain('FAIL source of stock: the user may not read a, b, c, d, e and 1 more')
    expect(out).toContain('2 problems to see to')
    stock.info = undefined
    expect((await runIn({ cwd }, 'doctor', 'stock')).out).toContain('does not exist on the server')
  })

  it('says what to do about the encryption of the environment, and looks at the rest', async () => {
    const { cwd } = fakeProject()
    const { code, out } = await runIn({ cwd, env: { BACKUP_GPG_RECIPIENT: '' } }, 'doctor')
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/FAIL encryption: .*BACKUP_GPG_RECIPIENT .*is set, but empty/),
    ])
    expect(out).toContain('source of shop: 3 tables')
  })

  it('says what to do about a storage', async () => {
    const { cwd } = fakeProject()
    writeFileSync(join(cwd, 'offsite'), 'a file in the way')
    const { code, out } = await runIn({ cwd }, 'doctor')
    expect(code).toBe(3)
    expect(out).toMatch(/FAIL storage offsite: .*is not a directory/)
  })

  it('prints the policy that S3 needs when it denies something, and to whoever wants to know', async () => {
    const keys = { S3_ACCESS_KEY: 'id', S3_SECRET_KEY: 'a-secret' }
    const denying = createServer((_, response) => response.writeHead(403).end()).listen(0, '127.0.0.1')
    onTestFinished(() => void denying.close())
    await once(denying, 'listening')
    const { port } = denying.address() as AddressInfo
    const env = { ...keys, S3_URL: 's3://acme/prod' }
    const denied = await runIn({ env: { ...env, MINIO_END_POINT: '127.0.0.1', MINIO_PORT: `${port}` } }, 'doctor')
    expect(denied.code).toBe(3)
    expect(denied.out).toContain('"Sid": "HoldfastObjects"')
    expect(denied.out).toContain('"Prefix": "prod/"')
    const away = { env: { ...env, MINIO_END_POINT: 'no.invalid' } }
    expect((await runIn(away, 'doctor')).out).not.toContain('HoldfastObjects')
    expect((await runIn(away, 'doctor', '--verbose')).out).toContain('HoldfastObjects')
  })

  it('says what to do about the configuration', async () => {
    const broken = await runIn({ cwd: fakeProject({ colour: 7 }).cwd }, 'doctor')
    expect([broken.code, broken.out]).toEqual([1, expect.stringContaining('FAIL configuration: ')])
    const { cwd } = testWorld()
    const none = await runIn({ cwd }, 'doctor')
    expect(existsSync(join(cwd, 'data'))).toBe(false)
    expect([none.code, none.out]).toEqual([0, expect.stringContaining('neither a config file nor DATABASE_URL')])
    const storageAlone = await runIn({ env: { BACKUP_DIR: './b' } }, 'doctor')
    expect(storageAlone.out).toContain('storage local: can be written')
    const missing = await runIn({}, 'doctor', '--config', 'nowhere.yaml')
    expect([missing.code, missing.out]).toEqual([1, expect.stringContaining('FAIL configuration: There is no config')])
    const job = await runIn({ cwd: fakeProject().cwd }, 'doctor', 'nope')
    expect([job.code, job.err]).toEqual([8, expect.stringContaining('No job is called "nope"')])
    expect((await runIn({ cwd: fakeProject().cwd }, 'doctor', 'constructor')).err).toContain(
      'No job is called "constructor"',
    )
  })

  it('looks at what the command line names alone', async () => {
    const env = { PGCONNECT_TIMEOUT: '2' }
    const { cwd } = testWorld()
    const { code, out } = await runIn({ cwd, env }, 'doctor', 'postgres://u@127.0.0.1:1/shop', '--to', './to')
    expect(code).toBe(4)
    expect(out).toContain('storage ./to: can be written')
    expect(out).toMatch(/FAIL source of shop: .*127\.0\.0\.1:1/)
    expect(out).toContain('backups of shop: there is none yet')
    const read = await runIn({ cwd }, 'doctor', '--from', './nowhere')
    expect([read.code, read.out]).toEqual([3, expect.stringContaining('There is no directory')])
    expect(readdirSync(cwd)).toEqual(['to'])
  })

  it('looks for programs where it is told to', async () => {
    const { cwd } = testWorld()
    writeFileSync(join(cwd, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 97.1"\n', { mode: 0o755 })
    const { out } = await runIn({ cwd }, 'doctor', 'postgres://u@127.0.0.1:1/shop', '--bin-dir', cwd)
    expect(out).toContain(`pg_dump: 97.1 (${cwd}/pg_dump)`)
    expect(out).toContain(`psql: not found in ${cwd}`)
    const configured = await runIn({ cwd: fakeProject().cwd }, 'doctor', '--bin-dir', cwd)
    expect([configured.code, configured.out]).toEqual([1, expect.stringContaining('--bin-dir goes with a URL')])
  })

  it('finds a SQLite database well', async () => {
    const { cwd } = testWorld()
    new DatabaseSync(join(cwd, 'app.db')).exec('create table t (a)')
    const { code, out } = await runIn({ cwd }, 'doctor', `sqlite:${join(cwd, 'app.db')}`, '--to', './to')
    expect(out).toContain('SQLite: runs within Node.js; no program is needed')
    expect(out).toMatch(/source of app.*: it can be dumped\n/)
    expect(code).toBe(0)
  })
})

describe('holdfast storage check', () => {
  it('runs the contract, prints each case and leaves nothing', async () => {
    const { cwd } = fakeProject()
    const { code, out, err } = await runIn({ cwd }, 'storage', 'check', './fresh')
    expect([code, err]).toEqual([0, expect.stringContaining('No backup was ever written here')])
    expect(out.match(/^kept/gm)?.length).toBeGreaterThan(20)
    expect(out).toContain('Every promise is kept')
    expect(existsSync(join(cwd, 'fresh'))).toBe(false)
  })

  it('leaves no directory that it has made, and none that was there', async () => {
    const { cwd } = fakeProject()
    mkdirSync(join(cwd, 'there'))
    expect((await runIn({ cwd }, 'storage', 'check', './there/mistyped/deep')).code).toBe(0)
    expect(readdirSync(join(cwd, 'there'))).toEqual([])
    expect((await runIn({ cwd }, 'storage', 'check', './there')).code).toBe(0)
    expect(existsSync(join(cwd, 'there'))).toBe(true)
  })

  it('stops where there is no room', async () => {
    let puts = 0
    const full = (storage: Storage): Storage => ({
      ...storage,
      async put(key, body, options, ctx) {
        if (++puts > 2) throw new BackupError('storage-full', { message: 'no space is left', hint: 'Make room.' })
        return storage.put(key, body, options, ctx)
      },
    })
    const { cwd } = fakeProject({}, full)
    const { code, out, err } = await runIn({ cwd }, 'storage', 'check', 'disk')
    expect([code, puts]).toEqual([3, 3])
    expect(err).toContain('Error: no space is left\n  Make room.')
    expect(out).not.toContain('BROKEN')
  })

  it('says once that a storage cannot be used', async () => {
    const { cwd } = fakeProject()
    writeFileSync(join(cwd, 'offsite'), 'a file in the way')
    const { code, out, err } = await runIn({ cwd }, 'storage', 'check', 'offsite')
    expect([code, out]).toEqual([3, ''])
    expect(err).toContain('is not a directory')
  })
})
