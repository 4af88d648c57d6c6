import { BackupError } from '@holdfast/core'
import type { SftpOptions } from './options.js'

const parameters = ['hostFingerprint', 'knownHosts', 'privateKeyFile', 'agent', 'create'] as const

/**
 * Reads `sftp://user@host:port/dir?hostFingerprint=&knownHosts=&privateKeyFile=&agent=&create=` into options.
 * `/dir` is absolute; `/~/dir` begins at the home directory of the user.
 *
 * @throws {BackupError} `storage-config-invalid`; no message holds the URL, which may hold a password.
 *
 * @example
 * ```ts
 * import { optionsFromUrl } from '@holdfast/storage-sftp'
 *
 * optionsFromUrl('sftp://backup@nas.example.com:2222/srv/backups')
 * // { host: 'nas.example.com', port: 2222, username: 'backup', path: '/srv/backups' }
 * ```
 */
export function optionsFromUrl(url: string): SftpOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'sftp:' || parsed.hostname === '')
    throw unreadable('is not of the form sftp://user@host/dir')
  if (parsed.hash) throw unreadable('has a fragment', 'Write # as %23.')
  const path = decode(parsed.pathname, 'path').replace(/^\/~(?:\/|$)/, '')
  if (path === '' || /^\/+$/.test(path)) {
    throw unreadable('names no directory', 'For example sftp://user@host/srv/backups, or sftp://user@host/~/backups.')
  }
  const options: SftpOptions = { host: decode(parsed.hostname, 'host').replace(/^\[|\]$/g, ''), path }
  if (parsed.port) options.port = Number(parsed.port)
  if (parsed.username) options.username = decode(parsed.username, 'user')
  if (parsed.password) options.password = decode(parsed.password, 'password')
  for (const [name, value] of parsed.searchParams) set(options, name, value)
  return options
}

function set(options: SftpOptions, name: string, value: string): void {
  switch (parameters.find((known) => known === name)) {
    case 'hostFingerprint':
      // A plus that was not encoded arrives as a blank.
      options.hostFingerprint = value.split(',').map((each) => each.trim().replaceAll(' ', '+'))
      break
    case 'knownHosts':
      options.knownHosts = value
      break
    case 'privateKeyFile':
      options.privateKey = { file: value }
      break
    case 'agent':
      options.agent = value === 'true' ? true : value === 'false' ? false : value
      break
    case 'create':
      if (value !== 'true' && value !== 'false') throw unreadable('has a create that is neither true nor false')
      options.create = value === 'true'
      break
    default:
      throw unreadable(`has the unknown parameter ${name}`, `Known are ${parameters.join(', ')}.`)
  }
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unreadable(`has a ${what} that cannot be decoded`, 'Write % as %25.')
  }
}

function unreadable(what: string, hint?: string): BackupError {
  return new BackupError('storage-config-invalid', {
    message: `The URL of the SFTP storage ${what}`,
    hint: hint ?? 'For example sftp://backup@nas.example.com/srv/backups',
  })
}
