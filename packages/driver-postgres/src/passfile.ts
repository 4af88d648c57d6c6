import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackupError, type Secret } from '@holdfast/core'

/** A file for libpq's `PGPASSFILE`, in a directory that only this user may enter. Disposing removes both. */
export interface Passfile extends AsyncDisposable {
  readonly path: string
}

/**
 * Writes a password where only the programs of this user read it: neither arguments nor environment hold it.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 * @throws {BackupError} `config-invalid` for a password that no passfile can hold.
 */
export async function writePassfile(password: Secret): Promise<Passfile> {
  const line = `*:*:*:*:${escapeField(password.reveal())}\n`
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-pass-')) // 0700 by definition of mkdtemp
  const path = join(directory, 'pgpass')
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(path, line, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
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
