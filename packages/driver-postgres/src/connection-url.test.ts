import { isBackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { parseConnectionUrl } from './connection-url.js'

describe('parseConnectionUrl', () => {
  it.each([
    ['postgres://db', { host: 'db' }],
    [
      'postgresql://u:p@db:5433/shop?sslmode=verify-full',
      { user: 'u', password: 'p', host: 'db', port: '5433', dbname: 'shop', sslmode: 'verify-full' },
    ],
    ['postgres://u%40x:p%3A%2F%40@db/a%20b%2Fc%3D', { user: 'u@x', password: 'p:/@', host: 'db', dbname: 'a b/c=' }],
    ['postgres://u:p:with:colons@db/x', { user: 'u', password: 'p:with:colons', host: 'db', dbname: 'x' }],
    ['postgres://[2001:db8::1]:5432/x', { host: '2001:db8::1', port: '5432', dbname: 'x' }],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/x', { host: '/var/run/postgresql', dbname: 'x' }],
    ['postgres:///x?host=/tmp&port=6000', { host: '/tmp', port: '6000', dbname: 'x' }],
    [
      'postgres://a:1,b,c:3/x?target_session_attrs=primary',
      { host: 'a,b,c', port: '1,,3', dbname: 'x', target_session_attrs: 'primary' },
    ],
    ['postgres://u@db/x?schema=public&connection_limit=5&pgbouncer=true', { user: 'u', host: 'db', dbname: 'x' }],
    ['postgres://db/x?ssl=true', { host: 'db', dbname: 'x', sslmode: 'require' }],
    ['postgres://db/x?sslmode=no-verify', { host: 'db', dbname: 'x', sslmode: 'require' }],
    ['postgres://db/host%3Devil.example', { host: 'db', dbname: 'host=evil.example' }],
    ['postgres:///?service=prod', { service: 'prod' }],
  ])('reads %s', (url, keywords) => {
    expect(parseConnectionUrl(url)).toEqual(keywords)
  })

  it.each([
    'mysql://db/x',
    'postgres://db:port/x',
    'postgres://u:p%zz@db/x',
    'postgres://db/x?novalue',
    'db',
    'postgres://db/%00',
  ])('refuses %s without showing it', (url) => {
    try {
      parseConnectionUrl(url)
      expect.unreachable()
    } catch (error) {
      expect(isBackupError(error, 'config-invalid')).toBe(true)
      expect((error as Error).message).not.toContain(url)
    }
  })
})
