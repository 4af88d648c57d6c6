import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Connection, connectionFrom, displayOf, libpqEnvironment } from './connection.js'
import { type PostgresOptions, postgresOptions } from './options.js'

const read = (options: PostgresOptions): Connection => connectionFrom(postgresOptions.parse(options))

beforeEach(() => {
  for (const name of ['PGPASSWORD', 'PGPASSFILE', 'PGSERVICEFILE']) vi.stubEnv(name, undefined)
})
afterEach(() => vi.unstubAllEnvs())

describe('connectionFrom', () => {
  it('lets single options win over the URL', () => {
    const connection = read({ url: 'postgres://u:p@db:1/x', host: 'other', port: 2, database: 'y', user: 'v' })
    expect(connection).toMatchObject({ endpoints: [{ host: 'other', port: 2 }], user: 'v', database: 'y' })
    expect(connection.password?.reveal()).toBe('p')
  })

  it('keeps several hosts in order, each with its port', () => {
    expect(read({ url: 'postgres://a:1,b,[::1]:3/x' }).endpoints).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 5432 },
      { host: '::1', port: 3 },
    ])
    expect(read({ url: 'postgres:///x?host=a,b&hostaddr=10.0.0.1,10.0.0.2&port=7' }).endpoints).toEqual([
      { host: 'a', port: 7, hostaddr: '10.0.0.1' },
      { host: 'b', port: 7, hostaddr: '10.0.0.2' },
    ])
  })

  it('names the database after the user, and takes the password of the environment', () => {
    vi.stubEnv('PGPASSWORD', 'from the environment')
    const connection = read({ url: 'postgres://u@db' })
    expect(connection.database).toBe('u')
    expect(connection.password?.reveal()).toBe('from the environment')
  })

  it.each([
    [{ url: 'postgres://db/x?sslmode=maybe' }, 'sslmode'],
    [{ url: 'postgres://db/x?slmode=require' }, 'slmode'],
    [{ url: 'postgres://a,b:1,c:99999/x' }, 'port'],
    [{ url: 'postgres:///x?host=a,b,c&port=1,2' }, 'ports'],
    [{ url: 'postgres:///x?service=nowhere' }, 'nowhere'],
  ])('refuses %j', (options, what) => {
    expect(() => read(options)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(what) }),
    )
  })

  it('reads a service, which the URL wins over', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    const file = join(directory, 'services')
    writeFileSync(
      file,
      '# comment\n[other]\nhost=wrong\n\n[prod]\nhost = db\nport=7\ndbname=shop\n[later]\nhost=wrong\n',
    )
    vi.stubEnv('PGSERVICEFILE', file)
    expect(read({ url: 'postgres://u@/?service=prod' })).toMatchObject({
      endpoints: [{ host: 'db', port: 7 }],
      database: 'shop',
    })
    expect(read({ service: 'prod', host: 'mine' })).toMatchObject({ endpoints: [{ host: 'mine', port: 7 }] })
    rmSync(directory, { recursive: true })
  })
})

describe('libpqEnvironment', () => {
  it('says everything but the password', () => {
    const connection = read({
      url: 'postgres://u:s3cret@db/host%3Devil?sslrootcert=/ca.pem&options=-c%20x%3D1&connect_timeout=3&hostaddr=10.0.0.1',
    })
    const env = libpqEnvironment(connection, connection.endpoints[0])
    expect(env).toEqual({
      PGHOST: 'db',
      PGHOSTADDR: '10.0.0.1',
      PGPORT: '5432',
      PGUSER: 'u',
      PGDATABASE: 'host=evil',
      PGSSLMODE: 'prefer',
      PGSSLROOTCERT: '/ca.pem',
      PGOPTIONS: '-c x=1',
      PGCONNECT_TIMEOUT: '3',
      PGAPPNAME: 'holdfast',
    })
  })

  it('hands on a passfile of the user, where there is no password', () => {
    vi.stubEnv('PGPASSFILE', '/home/u/.pgpass')
    const connection = read({ url: 'postgres://u@db/x' })
    expect(libpqEnvironment(connection, connection.endpoints[0])).toMatchObject({ PGPASSFILE: '/home/u/.pgpass' })
  })
})

it('shows host, port and database, and no more', () => {
  expect(displayOf(read({ url: 'postgres://u:s3cret@[::1],db:7/x' }))).toBe('[::1]:5432,db:7/x')
})
