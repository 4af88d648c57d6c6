import type { RunContext } from '@holdfast/core'
import { schemasBeside } from './journal.js'
import { beforeName, idAt, scratchName } from './names.js'
import type { Session } from './session.js'

/** The time, as an id that nothing beside the database has yet: two within a second get the next one. */
export async function freeId(session: Session, database: string, ctx: RunContext): Promise<string> {
  const taken = new Set(
    [
      ...(await schemasBeside(session, database, scratchName)),
      ...(await schemasBeside(session, database, beforeName)),
    ].map((name) => name.slice(-8)),
  )
  for (let time = ctx.clock.now(); ; time = new Date(time.getTime() + 1000)) {
    const id = idAt(time)
    if (!taken.has(id)) return id
  }
}
