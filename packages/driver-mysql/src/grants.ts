import type { Session } from './session.js'

/** Whether the user may do anything on this server. */
export async function mayAnything(session: Session): Promise<boolean> {
  const grants = await grantsOf(session)
  return grants.some((grant) => /^GRANT (ALL PRIVILEGES|.*\bSUPER\b.*) ON \*\.\* /.test(grant))
}

/** Whether the user has a right on the whole server. */
export async function mayGlobally(session: Session, ...rights: readonly string[]): Promise<boolean> {
  const grants = (await grantsOf(session)).filter((grant) => / ON \*\.\* TO /.test(grant)).join('\n')
  return /ALL PRIVILEGES/.test(grants) || rights.every((right) => new RegExp(`\\b${right}\\b`).test(grants))
}

async function grantsOf(session: Session): Promise<readonly string[]> {
  const rows = await session.query('show grants')
  return rows.flatMap((row) => Object.values(row).map(String))
}
