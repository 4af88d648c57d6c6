import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectionFrom, displayOf, optionFile } from './connection.js'
import { mysql, mysqlOptions } from './index.js'

const connectionOf = (options: object) => connectionFrom(mysqlOptions.parse(options))

afterEach(() => vi.unstubAllEnvs())

describe('connectionFrom', () => {
  it('reads a URL with everything that is special', () => {
    const url = 'mysql://us%40er:p%3Aw%2F%23@[::1]:3307/d%2Fb%20x?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem&charset=utf8'
    const connection = connectionOf({ url })
    expect(connection).toMatchObject({ host: '::1', port: 3307, user: 'us@er', database: 'd/b x' })
    expect(connection).toMatchObject({ sslmode: 'verify-identity', sslca: '/ca.pem' })
    expect(connection.password?.reveal()).toBe('p:w/#')
    expect(displayOf(connection)).toBe('[::1]:3307/d/b x')
  })

  it('lets single options win over the URL', () => {
    expect(connectionOf({ url: 'mariadb://a@b/c', host: 'h', port: 1, user: 'u', database: 'd' })).toMatchObject({
      host: 'h',
      port: 1,
      user: 'u',
      database: 'd',
    })
  })

  it('takes the password of the environment where nothing else says one', () => {
    vi.stubEnv('MYSQL_PWD', 'from the environment')
    expect(connectionOf({ url: 'mysql://u@h/d' }).password?.reveal()).toBe('from the environment')
    expect(connectionOf({ url: 'mysql://u:own@h/d' }).password?.reveal()).toBe('own')
    expect(connectionOf({ url: 'mysql://u:own@h/d', password: 'option' }).password?.reveal()).toBe('option')
    vi.stubEnv('MYSQL_PWD', '')
    expect(connectionOf({ url: 'mysql://u@h/d' }).password).toBeUndefined()
  })

  it.each([
    'http://x/y',
    'mysql://a@b/c?nonsense=1',
    'mysql://a:%zz@b/c',
    'mysql://a@b/c?sslmode=maybe',
    'mysql://h:99999/d',
  ])('refuses %s without a word of it', (url) => {
    expect(() => connectionOf({ url })).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})

describe('optionFile', () => {
  it('quotes what could pose as an option', () => {
    const connection = connectionOf({ host: 'h', user: 'u#"\n[mysql]', password: 'a\\b "c" #\nd', database: 'x\ny' })
    expect(optionFile(connection, true, true)).toBe(
      '[client]\nuser="u#\\"\\n[mysql]"\npassword="a\\\\b \\"c\\" #\\nd"\nhost="h"\nport="3306"\nprotocol="tcp"\n' +
        'disable-ssl-verify-server-cert\n[mysql]\ndatabase="x\\ny"\n',
    )
  })

  it('names modes of TLS as each flavour does', () => {
    const connection = connectionOf({ socket: '/s', user: 'u', sslmode: 'require' })
    expect(optionFile(connection, true, false)).toContain('ssl\ndisable-ssl-verify-server-cert\n')
    expect(optionFile(connection, false, false)).toContain('ssl-mode=REQUIRED\n')
    expect(optionFile(connection, false, false)).toContain('socket="/s"\n')
  })
})

describe('mysql', () => {
  it('keeps what is missing until the database is needed', () => {
    expect(mysql({}).unusable?.message).toContain('names no database')
    expect(mysql({ url: undefined }).unusable?.message).toContain('undefined')
    expect(mysql({ url: { env: 'HOLDFAST_NO_SUCH_VARIABLE' } }).unusable?.message).toContain('is not set')
    expect(mysql({}).check).toBeTypeOf('function')
  })

  it('refuses options that it does not know', () => {
    expect(() => mysql({ prot: 1 } as object)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})
