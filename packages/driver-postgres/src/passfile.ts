import { readlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BackupError, type PrivateFile, privateFile, type Secret } from '@holdfast/core'

/**
 * Writes a password where only the programs of this user read it (libpq's `PGPASSFILE`): neither arguments nor
 * environment hold it. On Linux the file has no name any more when this returns: programs reach it through the
 * descriptor that this process holds, and not even a kill leaves it behind.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 * @throws {BackupError} `config-invalid` for a password that no passfile can hold.
 */
export async function writePassfile(password: Secret): Promise<PrivateFile> {
  const file = await privateFile('pgpass', `*:*:*:*:${escapeField(password.reveal())}\n`)
  if (!descriptorsHaveNames()) return file
  try {
    const handle = await open(file.path, 'r')
    return { path: `/proc/${process.pid}/fd/${handle.fd}`, [Symbol.asyncDispose]: () => handle.close() }
  } finally {
    await file[Symbol.asyncDispose]()
  }
}

/** Whether other processes of this user find our descriptors: a `/proc` that is of our own process namespace. */
function descriptorsHaveNames(): boolean {
  try {
    return process.platform === 'linux' && readlinkSync('/proc/self') === String(process.pid)
  } catch {
    return false
  }
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
