import { BackupError, isBackupError, messageOf, type PreflightProblem } from '@holdfast/core'
import { ownerOf } from './definition-text.js'
import type { Definition } from './definitions.js'
import { firstOf } from './first-of.js'
import { currentUser, mayNameDefiners, rightToNameDefiners } from './grants.js'
import { quoteAccount, quoteIdentifier, quoteQualified } from './quoting.js'
import { ownTables } from './schema-objects.js'
import type { Session } from './session.js'

/**
 * What an exchange would drop and could not make again, neither to undo itself nor when it is taken back: what belongs
 * to others, where the user may make nothing in their name.
 */
export async function remakeProblems(
  session: Session,
  definitions: readonly Definition[],
): Promise<readonly PreflightProblem[]> {
  const foreign = await ofOthers(session, definitions)
  if (foreign.length === 0 || (await mayNameDefiners(session))) return []
  return [cannotRemake(session, await currentUser(session), foreign)]
}

/**
 * Makes a view in the name of each of those to whom the definitions belong, and drops it: servers have more rules about
 * whom one may name than there are rights to look at.
 *
 * @param schema - Where these views may stand for a moment.
 * @throws {BackupError} `restore-refused`.
 */
export async function requireRemakable(
  session: Session,
  schema: string,
  definitions: readonly Definition[],
): Promise<void> {
  const foreign = await ofOthers(session, definitions)
  const view = quoteQualified(schema, ownTables.proof)
  for (const owner of new Set(foreign.map(({ sql }) => ownerOf(sql) ?? ''))) {
    try {
      await session.query(`create definer = ${owner} view ${view} as select 1 as one`)
    } catch (error) {
      if (!isBackupError(error, 'source-denied')) throw error
      const theirs = foreign.filter(({ sql }) => ownerOf(sql) === owner)
      const { message, hint } = cannotRemake(session, await currentUser(session), theirs)
      throw new BackupError('restore-refused', { message: `${message} (${messageOf(error)})`, hint, cause: error })
    }
    await session.query(`drop view ${view}`)
  }
}

async function ofOthers(session: Session, definitions: readonly Definition[]): Promise<readonly Definition[]> {
  const own = new Set([quoteAccount(await currentUser(session)), ...(await currentRole(session))].map(comparable))
  return definitions.filter(({ sql }) => {
    const owner = ownerOf(sql)
    return owner !== undefined && !own.has(comparable(owner))
  })
}

/** Hosts know no case. */
const comparable = (account: string): string => account.replace(/@.*$/s, (host) => host.toLowerCase())

/** MariaDB lets whoever has taken a role make things in its name. */
async function currentRole(session: Session): Promise<readonly string[]> {
  if (session.server.flavour !== 'mariadb') return []
  const [row] = await session.query<{ role: string | null }>('select current_role() as role')
  return row?.role ? [quoteIdentifier(row.role)] : []
}

function cannotRemake(session: Session, user: string, foreign: readonly Definition[]): Required<PreflightProblem> {
  const names = firstOf(foreign.map(({ kind, name, sql }) => `${kind} ${quoteIdentifier(name)} of ${ownerOf(sql)}`))
  return {
    message: `The user ${user} may make nothing in the name of others, and could not make again what would be dropped: ${names}`,
    hint: `GRANT ${rightToNameDefiners(session)} ON *.* TO ${quoteAccount(user)}; or drop these before, if they need not come back.`,
  }
}
