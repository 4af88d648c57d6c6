import { describe, expect, it } from 'vitest'
import { displayOf, resolveSftpOptions } from './options.js'
import { optionsFromUrl } from './sftp-url.js'

const pin = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'

describe('optionsFromUrl', () => {
  it.each([
    ['sftp://nas/srv/backups', { host: 'nas', path: '/srv/backups' }],
    ['sftp://me@nas:2222/srv', { host: 'nas', port: 2222, username: 'me', path: '/srv' }],
    ['sftp://me:p%40ss@nas/~/a%20b', { host: 'nas', username: 'me', password: 'p@ss', path: 'a b' }],
    ['sftp://[::1]/d', { host: '::1', path: '/d' }],
    [`sftp://nas/d?hostFingerprint=${pin}`, { host: 'nas', path: '/d', hostFingerprint: [pin] }],
    [`sftp://nas/d?hostFingerprint=${encodeURIComponent(pin)}`, { host: 'nas', path: '/d', hostFingerprint: [pin] }],
    ['sftp://nas/d?privateKeyFile=/k&agent=true', { host: 'nas', path: '/d', privateKey: { file: '/k' }, agent: true }],
    ['sftp://nas/d?knownHosts=/kh&create=false', { host: 'nas', path: '/d', knownHosts: '/kh', create: false }],
  ])('%s', (url, options) => {
    expect(optionsFromUrl(url)).toEqual(options)
  })

  it.each([
    ['sftp:///d', /not of the form/],
    ['http://nas/d', /not of the form/],
    ['sftp://nas', /names no directory/],
    ['sftp://nas/', /names no directory/],
    ['sftp://nas/~/', /names no directory/],
    ['sftp://nas/d?x=1', /unknown parameter x/],
    ['sftp://nas/d?create=no', /neither true nor false/],
    ['sftp://nas/d#e', /fragment/],
    ['sftp://nas/%zz', /cannot be decoded/],
  ])('refuses %s', (url, message) => {
    expect(() => optionsFromUrl(url)).toThrow(message)
  })
})

describe('options', () => {
  const base = { host: 'nas', username: 'me', path: '/d/' }

  it.each([
    [{ ...base, host: 'me@nas' }, /host: must be the name/],
    [{ ...base, port: 0 }, /port: must be at least 1/],
    [{ ...base, hostFingerprint: 'SHA256:short' }, /hostFingerprint/],
    [{ ...base, passphrase: 'x' }, /privateKey: .*passphrase is set/],
    [{ ...base, hostfingerprint: pin }, /hostfingerprint/],
  ])('refuses %o', (options, message) => {
    expect(() => resolveSftpOptions(options)).toThrow(message)
  })

  it('shows where it is, and no password', () => {
    const shown = (more: object): string => displayOf(resolveSftpOptions({ ...base, password: 'hidden', ...more }))
    expect([shown({}), shown({ port: 2222, path: 'x/y' }), shown({ host: '::1' })]).toEqual([
      'sftp://me@nas/d',
      'sftp://me@nas:2222/~/x/y',
      'sftp://me@[::1]/d',
    ])
  })
})
