import { BackupError, type Secret } from '@holdfast/core'
import { type PrivateFile, privateFile } from './private-file.js'

/**
 * Writes a password where only the programs of this user read it (libpq's `PGPASSFILE`): neither arguments nor
 * environment hold it.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 * @throws {BackupError} `config-invalid` for a password that no passfile can hold.
 */
export async function writePassfile(password: Secret): Promise<PrivateFile> {
  return await privateFile('pgpass', `*:*:*:*:${escapeField(password.reveal())}\n`)
}

function escapeField(password: string): string {
  if (/[\n\r\0]/.test(password)) {
    throw new BackupError('config-invalid', {
      message: 'The password of the database holds a line break or a NUL',
      hint: 'PostgreSQL client programs cannot be given such a password; choose another.',
    })
  }
  return password.replaceAll('\\', '\\\\').replaceAll(':', '\\:')
}
