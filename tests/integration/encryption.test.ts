import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgeKey, age, type Cipher, createHoldfast, generateAgeKey, type Holdfast } from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let server: PostgresServer
let directory: string
let key: AgeKey
let stranger: AgeKey

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-encryption-'))
  key = await generateAgeKey()
  stranger = await generateAgeKey()
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `CREATE TABLE items (id int PRIMARY KEY, name text, noise text);
     INSERT INTO items SELECT n, 'item ' || n, md5(n::text) || md5((-n)::text) FROM generate_series(1, 50000) n`,
  )
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A host with a job that encrypts, and keys that read. */
function host(encrypt: Cipher | undefined, ...ciphers: Cipher[]): Holdfast {
  const storages = { disk: local({ path: join(directory, 'disk') }), other: local({ path: join(directory, 'other') }) }
  const source = postgres({ url: server.url('shop') })
  const job = { source, storages: ['disk', 'other'], ...(encrypt && { encrypt }) }
  return createHoldfast({ storages, jobs: { shop: job }, ciphers })
}

function plainDump(database: string): string {
  const env = { PATH: process.env.PATH, PGPASSWORD: server.password }
  const args = ['-h', server.host, '-p', String(server.port), '-U', server.user, '--restrict-key=x', database]
  return execFileSync(join(server.binDir, 'pg_dump'), args, { env, maxBuffer: 1 << 30 }).toString()
}

const databases = (): Promise<unknown> => server.sql('postgres', 'SELECT datname FROM pg_database ORDER BY 1')

describe('a real database, backed up by a host that has the recipient alone', () => {
  it('is restored by one that has the identity, and by nobody else', async () => {
    await using writer = host(age({ recipients: key.recipient }))
    const { backup } = await writer.backup()
    expect(await writer.verify('latest')).toMatchObject({ status: 'intact' })
    const before = await databases()
    const into = postgres({ url: server.url('restored') })
    await expect(writer.restore('latest', { into })).rejects.toMatchObject({ code: 'wrong-key' })
    await using wrong = host(undefined, age({ identities: stranger.identity }))
    await expect(wrong.restore('latest', { into })).rejects.toMatchObject({ code: 'wrong-key' })
    expect(await databases()).toEqual(before)

    await using reader = host(undefined, age({ identities: key.identity }))
    expect(await reader.verify('latest')).toMatchObject({
      status: 'intact',
      copies: [{ parts: [{ name: 'dump' }] }, {}],
    })
    await reader.restore('latest', { into })
    expect(plainDump('restored')).toBe(plainDump('shop'))

    // Truncated on one copy, a chunk's worth: the other is used, and the damage is found.
    const path = join(directory, 'disk', backup.manifest.parts[0]?.key ?? '')
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, whole.length - 65_552))
    expect(await reader.verify('latest')).toMatchObject({ status: 'corrupt' })
    const again = postgres({ url: server.url('again') })
    expect(await reader.restore('latest', { into: again })).toMatchObject({ storage: 'other' })
    expect(plainDump('again')).toBe(plainDump('shop'))
  })
})
