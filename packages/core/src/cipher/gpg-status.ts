import { BackupError } from '../backup-error.js'
import type { ChildExit } from '../driver/child.js'

/** What gpg said on its status descriptor (doc/DETAILS of GnuPG), by keyword, with the rest of the line. */
export interface GpgStatus {
  onLine(line: string): void
  has(keyword: string): boolean
  /** How often it was said. */
  count(keyword: string): number
  /** What followed the keyword when it was said first. */
  first(keyword: string): string | undefined
}

/** Keeps what gpg says. Keywords are few; a hostile message cannot make it keep more than these. */
export function gpgStatus(): GpgStatus {
  const said = new Map<string, { first: string; count: number }>()
  return {
    onLine(line) {
      const [, keyword, rest = ''] = /^\[GNUPG:\] ([A-Z_0-9]+)(?: (.*))?$/.exec(line) ?? []
      if (keyword === undefined) return
      const known = said.get(keyword)
      said.set(keyword, { first: known?.first ?? rest, count: (known?.count ?? 0) + 1 })
    },
    has: (keyword) => said.has(keyword),
    count: (keyword) => said.get(keyword)?.count ?? 0,
    first: (keyword) => said.get(keyword)?.first,
  }
}

/** Why an encryption did not succeed; `undefined` if it did. */
export function encryptionFailure(status: GpgStatus, exit: ChildExit): BackupError | undefined {
  const unusable = status.first('INV_RECP')
  if (unusable !== undefined) {
    const recipient = unusable.replace(/^\d+ /, '')
    return new BackupError('config-invalid', {
      message: `gpg has no usable public key of ${recipient}`,
      hint: `Nothing was written. Import the key (gpg --import key.asc) into the keyring of the user who makes the backups; gpg --list-keys ${recipient} shows it. It may have expired.`,
    })
  }
  if (exit.code === 0 && status.has('END_ENCRYPTION')) return undefined
  return new BackupError('internal', {
    message: `gpg could not encrypt: ${describe(exit)}`,
    hint: 'Try it by hand: gpg --encrypt --recipient … < file. See whether this host has disk and memory left.',
  })
}

/**
 * Why a decryption is not to be trusted; `undefined` if it is: gpg exited with 0 and said of one message that it was
 * decrypted and not modified. Its exit code alone does not tell: data that were never encrypted give 0 too.
 */
export function decryptionFailure(status: GpgStatus, exit: ChildExit): BackupError | undefined {
  const whole = ['DECRYPTION_OKAY', 'GOODMDC', 'PLAINTEXT'].every((keyword) => status.count(keyword) === 1)
  if (exit.code === 0 && whole && !status.has('BADMDC') && !status.has('DECRYPTION_FAILED')) return undefined
  const locked = ['NO_SECKEY', 'ERROR', 'MISSING_PASSPHRASE'].some((keyword) => status.has(keyword))
  if (locked && !status.has('PLAINTEXT')) return noKey(status)
  return new BackupError('corrupt', {
    message: `The gpg-encrypted data are damaged: ${describe(exit)}`,
    hint: 'Use another copy of this backup, or an older one; `holdfast verify` tells which are whole.',
  })
}

function noKey(status: GpgStatus): BackupError {
  const keyId = status.first('NO_SECKEY') ?? status.first('ENC_TO')?.split(' ')[0]
  const why = status.has('NO_SECKEY') ? 'is not in the keyring' : 'could not be used (is its passphrase given?)'
  return new BackupError('wrong-key', {
    message: `The backup is encrypted for the gpg key ${keyId ?? ''}, whose secret half ${why}`,
    hint: 'Import the secret key into the keyring of this user, or name the keyring (`homedir`); set `passphrase` where the key has one. If the key is the right one, the beginning of this copy is damaged; `holdfast verify` tells.',
  })
}

function describe({ code, stderrTail }: ChildExit): string {
  const lines = stderrTail.split('\n').filter((line) => !/encrypted with|^ {6}"/.test(line))
  const said = lines.at(-1) ?? ''
  return `${said === '' ? 'it gave no reason' : said} (exit code ${code})`
}
