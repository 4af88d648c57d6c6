import { BackupError } from '@holdfast/core'

/**
 * What `target_session_attrs` asks of a server, in the order of preference.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html
 * @throws {BackupError} `config-invalid`.
 */
export function wantedStates(attrs: string): readonly string[] {
  if (attrs === 'prefer-standby') return ['standby', 'any']
  if (['any', 'read-write', 'read-only', 'primary', 'standby'].includes(attrs)) return [attrs]
  throw new BackupError('config-invalid', {
    message: `target_session_attrs=${JSON.stringify(attrs)} is not known`,
    hint: 'Choose any, read-write, read-only, primary, standby or prefer-standby.',
  })
}

/** What can be asked of a server. */
interface Asked {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>
}

/** Whether the server of a session is as {@link wantedStates} says. */
export async function isInState(session: Asked, wanted: string): Promise<boolean> {
  if (wanted === 'any') return true
  const [row] = await session.query<{ standby: boolean; read_only: boolean }>(
    `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as read_only`,
  )
  if (wanted === 'primary' || wanted === 'standby') return row?.standby === (wanted === 'standby')
  return row?.read_only === (wanted === 'read-only')
}
