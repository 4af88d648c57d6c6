import { homedir } from 'node:os'
import { BackupError } from '@holdfast/core'
import { booleanOf, environmentVariables as known, type ReadVariable } from './environment-variables.js'

/** Where SFTP_URL or the BACKUP_REMOTE_ variables put backups: a URL or options; `undefined` where they do not. */
export function sftpPlaceFrom(read: ReadVariable): string | Readonly<Record<string, unknown>> | undefined {
  const wanted = booleanOf(read(known.backupRemote), known.backupRemote.name)
  const url = read(known.sftpUrl)
  const host = read(known.remoteHost)
  if (wanted === false) return undefined
  if (url !== undefined && host !== undefined && url !== host) {
    throw new BackupError('config-invalid', {
      message: 'The environment variables SFTP_URL and BACKUP_REMOTE_HOST mean the same and disagree',
      hint: 'Keep one of them; SFTP_URL is the usual name.',
    })
  }
  const place = url ?? host
  if (place === undefined) {
    if (!wanted) return undefined
    throw invalid(
      'BACKUP_REMOTE asks for SFTP, but no server is set',
      'Set SFTP_URL, such as sftp://user@host/srv/backups.',
    )
  }
  if (place.includes('://')) return place
  const path = read(known.remotePath)
  if (path === undefined) throw invalid('BACKUP_REMOTE_HOST is set, but no directory is', 'Set BACKUP_REMOTE_PATH.')
  const [, user, name = '', port] = /^(?:([^@]+)@)?(.*?)(?::(\d+))?$/.exec(place) ?? []
  const username = read(known.remoteUser) ?? user
  return {
    host: name,
    path: path.replace(/^~\//, ''),
    ...(username !== undefined && { username }),
    ...(port !== undefined && { port: Number(port) }),
  }
}

/** Options of SFTP that do not say which server. */
export function sftpSettings(read: ReadVariable): Readonly<Record<string, unknown>> {
  const key = read(known.sftpPrivateKey)
  const passphrase = read(known.sftpPassphrase)
  const settings = {
    privateKey: key === undefined ? undefined : keyFrom(key),
    passphrase: key === undefined ? undefined : passphrase,
    password: read(known.sftpPassword),
    hostFingerprint: read(known.sftpHostFingerprint)?.split(/[\s,]+/),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** The key itself, its lines perhaps joined by `\n` as some files of variables want it, or the path of its file. */
function keyFrom(value: string): string | { file: string } {
  if (!/-----BEGIN|^PuTTY-User-Key-File/.test(value)) return { file: value.replace(/^~(?=\/)/, homedir()) }
  return value.includes('\n') ? value : value.replaceAll('\\n', '\n')
}

function invalid(message: string, hint: string): BackupError {
  return new BackupError('storage-config-invalid', { message, hint })
}
