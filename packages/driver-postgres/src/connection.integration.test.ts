import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver, findProgram } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let server: PostgresServer
let directory: string
let otherCertificate: string

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  await server.createDatabase('shop')
  await server.sql('shop', 'create table t as select 1 as x')
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

const driverOf = (url: string, options: object = {}): Driver => postgres({ url, binDir: server.binDir, ...options })
const login = (): string => `${server.user}:${encodeURIComponent(server.password)}`

/** Whether a question and a dump both get through. */
async function works(driver: Driver): Promise<boolean> {
  const { database } = await driver.probe(ctx)
  const { bytes } = await memoryBackup(driver, { inventory: 'counts' }, ctx)
  return database?.tables === 1 && (bytes.get('dump')?.length ?? 0) > 0
}

describe('the way to the server', () => {
  it('may be a unix socket', async () => {
    const socket = encodeURIComponent(server.socketDir)
    expect(await works(driverOf(`postgres://${login()}@${socket}:${server.port}/shop`))).toBe(true)
    expect(
      await works(driverOf(`postgres://${login()}@/shop?host=${socket}&port=${server.port}&sslmode=require`)),
    ).toBe(true)
  })

  it('may be one of several hosts: the first that answers, for questions and programs alike', async () => {
    const url = `postgres://${login()}@127.0.0.1:1,${server.host}:${server.port}/shop`
    expect(await works(driverOf(url))).toBe(true)
    expect(await works(driverOf(`${url}?target_session_attrs=read-write`))).toBe(true)
    expect(await works(driverOf(`${url}?target_session_attrs=prefer-standby`))).toBe(true)
    await expect(driverOf(`${url}?target_session_attrs=standby`).probe(ctx)).rejects.toMatchObject({
      code: 'source-unreachable',
    })
    await expect(driverOf(`${url}?target_session_attrs=read-only`).probe(ctx)).rejects.toMatchObject({
      code: 'source-unreachable',
    })
    await expect(driverOf(`${url}?target_session_attrs=any-old`).probe(ctx)).rejects.toMatchObject({
      code: 'config-invalid',
    })
  })

  it('may be a service, with the password in the passfile of the user', async () => {
    const [services, passfile] = [join(directory, 'services'), join(directory, 'pgpass')]
    writeFileSync(services, `[shop]\nhost=${server.host}\nport=${server.port}\ndbname=shop\nuser=${server.user}\n`)
    writeFileSync(passfile, `*:*:*:*:${server.password}\n`, { mode: 0o600 })
    vi.stubEnv('PGSERVICEFILE', services)
    vi.stubEnv('PGPASSFILE', passfile)
    try {
      const told: Error[] = []
      const listen = (warning: Error): void => void told.push(warning)
      process.on('warning', listen)
      expect(await works(postgres({ service: 'shop', binDir: server.binDir }))).toBe(true)
      process.off('warning', listen)
      expect(told).toEqual([]) // `pg` warns of its own reading of that file
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('takes no longer than connectTimeout to be found shut', async () => {
    const silent = createServer(() => {}) // takes connections and never says anything
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      const driver = driverOf(`postgres://u:p@127.0.0.1:${port}/x`, { connectTimeout: '300ms' })
      await expect(driver.probe(ctx)).rejects.toMatchObject({ code: 'source-unreachable', retryable: true })
      const reason = new Error('changed my mind')
      const controller = new AbortController()
      const waiting = driverOf(`postgres://u:p@127.0.0.1:${port}/x`).probe(
        createRunContext({ signal: controller.signal }),
      )
      silent.once('connection', () => controller.abort(reason))
      await expect(waiting).rejects.toBe(reason)
    } finally {
      silent.close()
    }
  })

  it('goes through another maintenance database where postgres is not to be had', async () => {
    const backup = await memoryBackup(driverOf(server.url('shop')), {}, ctx)
    await server.sql('shop', 'alter database postgres allow_connections false')
    try {
      for (const options of [{}, { maintenanceDatabase: 'shop' }]) {
        const target = driverOf(server.url(`made ${Object.keys(options).length}`), options)
        expect((await target.probe(ctx)).database).toBeUndefined()
        expect((await target.restore(backup, { mode: 'create' }, ctx)).created).toBe(true)
      }
    } finally {
      await server.sql('shop', 'alter database postgres allow_connections true')
    }
  })
})

describe('TLS', () => {
  const url = (query: string, host = 'localhost'): string =>
    `postgres://${login()}@${host}:${server.port}/shop?${query}`

  beforeAll(async () => {
    const certificate = makeCertificate(server.socketDir, 'server')
    otherCertificate = makeCertificate(directory, 'other').certificate
    await server.sql('postgres', `alter system set ssl_cert_file = '${certificate.certificate}'`)
    await server.sql('postgres', `alter system set ssl_key_file = '${certificate.key}'`)
    await server.sql('postgres', 'alter system set ssl = on')
    await server.sql('postgres', 'select pg_reload_conf()')
    await vi.waitFor(async () => expect(await server.sql('postgres', 'show ssl')).toEqual([{ ssl: 'on' }]))
  })

  it.each(['disable', 'allow', 'prefer', 'require'])('sslmode=%s needs no certificate', async (sslmode) => {
    expect(await works(driverOf(url(`sslmode=${sslmode}`)))).toBe(true)
  })

  it('verify-full wants the authority and the name', async () => {
    const root = encodeURIComponent(join(server.socketDir, 'server.crt'))
    const other = encodeURIComponent(otherCertificate)
    expect(await works(driverOf(url(`sslmode=verify-full&sslrootcert=${root}`)))).toBe(true)
    expect(await works(driverOf(url(`sslmode=verify-ca&sslrootcert=${root}`, '127.0.0.1')))).toBe(true)
    for (const refused of [
      url(`sslmode=verify-full&sslrootcert=${other}`),
      url(`sslmode=verify-ca&sslrootcert=${other}`),
      url(`sslmode=require&sslrootcert=${other}`),
      url(`sslmode=verify-full&sslrootcert=${root}`, '127.0.0.1'),
    ]) {
      await expect(driverOf(refused).probe(ctx)).rejects.toMatchObject({ code: 'source-unreachable', retryable: false })
    }
    await expect(driverOf(url('sslmode=verify-full&sslrootcert=/no/such/file')).probe(ctx)).rejects.toMatchObject({
      code: 'config-invalid',
    })
  })

  it('a server without it is refused where it is required', async () => {
    await using plain = await startPostgres()
    await expect(driverOf(`${plain.url('postgres')}?sslmode=require`).probe(ctx)).rejects.toMatchObject({
      code: 'source-unreachable',
      retryable: false,
    })
  })
})

const openssl = findProgram('openssl') ?? 'openssl' // Debian's server package needs it as well

function makeCertificate(into: string, name: string): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(into, `${name}.crt`), join(into, `${name}.key`)]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync(
    openssl,
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate, ...subject],
    { stdio: 'pipe' },
  )
  const { uid, gid } = statSync(into)
  for (const file of [certificate, key]) chownSync(file, uid, gid)
  expect(existsSync(key)).toBe(true)
  return { certificate, key }
}
