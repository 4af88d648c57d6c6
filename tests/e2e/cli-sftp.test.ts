import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, type Sshd, startPostgres, startSshd } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, holdfast } from './cli-process.js'

let server: PostgresServer
let sshd: Sshd
let cwd: string
beforeAll(async () => {
  ;[server, sshd] = await Promise.all([startPostgres(), startSshd()])
  cwd = await mkdtemp(join(tmpdir(), 'holdfast-cli-sftp-'))
  await server.createDatabase('shop')
  await server.sql('shop', 'CREATE TABLE item AS SELECT n, md5(n::text) FROM generate_series(1, 1000) n')
})
afterAll(async () => {
  await Promise.all([server?.stop(), sshd?.stop()])
  await rm(cwd, { recursive: true, force: true })
})

function run(env: Readonly<Record<string, string>>, ...argv: string[]): Promise<Ended> {
  const url = `sftp://${sshd.username}@${sshd.host}:${sshd.port}${sshd.directory}`
  // A home of its own: the known hosts and keys of whoever runs the tests must not matter.
  const own = { HOME: cwd, DATABASE_URL: server.url('shop'), SFTP_URL: url, SFTP_PRIVATE_KEY: sshd.key.text }
  return holdfast({ cwd, env: { ...own, ...env } }, ...argv)
}

describe('backups on an SFTP server', () => {
  it('are refused at a host that is not known, with how to pin it', async () => {
    const { code, err } = await run({}, 'backup')
    expect(code).not.toBe(0)
    expect(err).toContain(`is not known: it offers ssh-ed25519 ${sshd.fingerprint}`)
    expect(err).toContain('SFTP_HOST_FINGERPRINT')
    expect(await readdir(sshd.directory)).toEqual([])
  })

  it('are made, listed, verified and looked at by doctor', async () => {
    const pinned = { SFTP_HOST_FINGERPRINT: sshd.fingerprint }
    const backup = await run(pinned, 'backup')
    expect(backup).toMatchObject({ code: 0 })
    const list = await run(pinned, 'list', '--json')
    expect(list).toMatchObject({ code: 0 })
    expect(list.out).toContain('"database": "shop"')
    expect(await run(pinned, 'verify')).toMatchObject({ code: 0 })
    const doctor = await run(pinned, 'doctor')
    expect(doctor.out).toMatch(/storage sftp: sftp:\/\/.*, in use since/)
    expect(doctor.out).toMatch(/storage sftp: can be written, read, listed and deleted from/)
    expect(doctor.out).toMatch(/storage sftp: .* free/)
    for (const { out, err } of [backup, list, doctor]) expect(out + err).not.toContain('PRIVATE KEY')
  })
})
