import { unmarkFilling } from './marks.js'
import type { Progress } from './progress.js'
import { endLocked } from './restore-lock.js'
import { dropObject, hasRows, tablesOf } from './schema-objects.js'
import { type Session, schemaExists } from './session.js'
import type { SchemaObject } from './statement-subject.js'

/**
 * Drops what a dump has made in a database, and the mark that it is being filled; nothing else. To be called when its
 * client is gone: what the server may still be at for it is ended first.
 */
export async function removeMade(session: Session, database: string, progress: Progress): Promise<void> {
  await endLocked(session, progress.lock)
  if (!(await schemaExists(session, database))) return
  const { made, doubtful } = progress
  await session.query('set session foreign_key_checks = 0')
  for (const object of made.toReversed()) await dropObject(session, database, object)
  if (doubtful && (await mayBeOurs(session, database, doubtful))) await dropObject(session, database, doubtful)
  await session.query('set session foreign_key_checks = 1')
  await unmarkFilling(session, database)
}

/** A dump fills a table after the statement that makes it. */
async function mayBeOurs(session: Session, database: string, { kind, name }: SchemaObject): Promise<boolean> {
  if (kind !== 'table') return true
  const isThere = (await tablesOf(session, database)).some((table) => table.kind === 'table' && table.name === name)
  return isThere && !(await hasRows(session, database, name))
}
