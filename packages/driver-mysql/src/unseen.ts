import { isBackupError } from '@holdfast/core'
import { firstOf } from './first-of.js'
import { currentUser, type Rights, readRights } from './grants.js'
import type { Chosen } from './held-kinds.js'
import { quoteAccount, quoteIdentifier, quotePattern } from './quoting.js'
import type { Session } from './session.js'
import { readsWholeDatabase } from './whole-database.js'

/**
 * What a dump would lack without a word: the server hides tables, triggers and routines from a user who has no right on
 * them, and the dump program takes it that there are none. Nobody can tell whether there are, so it is no error.
 */
export async function unseenWarnings(session: Session, chosen: Chosen): Promise<readonly string[]> {
  const { database, settings, request, choice } = chosen
  const rights = await readRights(session)
  const user = await currentUser(session)
  const to = `TO ${quoteAccount(user)}`
  const warnings: string[] = []
  if (choice.only === undefined && !(await seesTables(session, database, rights))) {
    warnings.push(
      `The user ${user} lacks SELECT on ${quoteIdentifier(database)} as a whole, and so does not see whether there are tables beside those that it has rights on: the dump holds none of those. GRANT SELECT ON ${quotePattern(database)}.* ${to}; or name the tables of the backup`,
    )
  }
  if (request.sections === 'data') return warnings
  const blind = settings.triggers === false ? undefined : tablesWithoutTriggers(rights, chosen)
  if (blind !== undefined) {
    warnings.push(
      `The user ${user} lacks TRIGGER on ${blind}, and so does not see whether there are triggers: the dump holds none of them. GRANT TRIGGER ON ${quotePattern(database)}.* ${to}; or say triggers: false`,
    )
  }
  const wantsRoutines = choice.only === undefined && settings.routines !== false
  if (wantsRoutines && !(await seesRoutines(session, database, rights))) {
    const [right, on] = session.server.flavour === 'mariadb' ? ['SELECT', 'mysql.proc'] : ['SHOW_ROUTINE', '*.*']
    warnings.push(
      `The user ${user} lacks ${right} on ${on}, and so does not see whether others have made procedures and functions in ${quoteIdentifier(database)}: the dump holds none of those. GRANT ${right} ON ${on} ${to}; or say routines: false`,
    )
  }
  return warnings
}

/** Each of these on a database shows all of its tables, if not what is in them. */
const showingTables = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'REFERENCES', 'INDEX', 'ALTER', 'TRIGGER'],
  ...['CREATE VIEW', 'SHOW VIEW'],
]

async function seesTables(session: Session, database: string, rights: Rights): Promise<boolean> {
  const hasAny = rights.missing(database, showingTables).length < showingTables.length
  return hasAny || (await readsWholeDatabase(session, database))
}

/** Where triggers would not be seen, for people; `undefined` where all are, as far as the server tells of the rights. */
function tablesWithoutTriggers(rights: Rights, { database, chosen }: Chosen): string | undefined {
  if (rights.missing(database, ['TRIGGER']).length === 0) return undefined
  const tables = chosen.filter(({ kind }) => kind === 'table').map(({ name }) => name)
  const blind = tables.filter((name) => !rights.hasOnTable(database, 'TRIGGER', name))
  if (blind.length === 0) return undefined
  return blind.length === tables.length ? quoteIdentifier(database) : firstOf(blind.map(quoteIdentifier))
}

/** Each of these shows a routine. Where its text is not shown with it, the dump program fails, and says so. */
const showing = ['EXECUTE', 'ALTER ROUTINE', 'CREATE ROUTINE', 'SHOW CREATE ROUTINE']

async function seesRoutines(session: Session, database: string, rights: Rights): Promise<boolean> {
  if (rights.missing(database, showing).length < showing.length) return true
  if (session.server.flavour === 'mysql') return ['SHOW_ROUTINE', 'SELECT'].some(rights.hasGlobally)
  return await session.query('select 1 from mysql.proc limit 0').then(
    () => true,
    (error) => {
      if (isBackupError(error, 'source-denied')) return false
      throw error
    },
  )
}
