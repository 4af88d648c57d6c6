import type { AsideKind, RunContext } from '@holdfast/core'
import { nameBeside, readNameBeside } from './names.js'
import type { Session } from './session.js'

/** A schema that is named as one which Holdfast makes beside a database. */
export interface Beside {
  readonly name: string
  readonly kind: AsideKind
  readonly since: Date
}

/** Schemas that are named so, oldest first. Some may be of others: a name proves nothing. */
export async function schemasBeside(session: Session, database: string): Promise<readonly Beside[]> {
  const beside = (await schemas(session)).flatMap((name) => {
    const read = readNameBeside(name, database)
    return read ? [{ name, ...read }] : []
  })
  return beside.sort((a, b) => a.since.getTime() - b.since.getTime())
}

/** A name beside a database that no schema has yet. */
export async function freeName(session: Session, database: string, kind: AsideKind, ctx: RunContext): Promise<string> {
  const taken = new Set(await schemas(session))
  return nameBeside(database, kind, ctx.clock.now(), (name) => taken.has(name))
}

async function schemas(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>('select schema_name as name from information_schema.schemata')
  return rows.map(({ name }) => name)
}
