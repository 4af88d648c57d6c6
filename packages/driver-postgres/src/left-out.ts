import type { DumpRequest } from '@holdfast/core'
import { quoteQualified } from './quoting.js'
import { anySchema, type DumpedTable, inFamily, namesOfTables, type Selection, tablesOfPrimary } from './selection.js'
import type { Session } from './session.js'
import { usedElsewhere } from './used-elsewhere.js'

/** What is dumped, and where: nothing is asked of the server that this answers, for every question delays the dump. */
interface Circumstances {
  readonly sections: DumpRequest['sections']
  readonly isStandby: boolean
}

/** What a dump lacks though somebody may count on it, as warnings. */
export async function leftOut(
  selection: Selection,
  { sections, isStandby }: Circumstances,
  session: Session,
): Promise<readonly string[]> {
  const ofSchema = sections === 'data' ? [] : await usedByTables(selection, session)
  if (sections === 'schema') return ofSchema
  const ofPrimary = isStandby ? await rowsOfPrimary(selection, session) : []
  return [...ofSchema, ...(await rowsElsewhere(selection, session)), ...ofPrimary]
}

/** Chosen tables come alone, so that they cannot be restored where what they use is not there. */
async function usedByTables(selection: Selection, session: Session): Promise<readonly string[]> {
  if (selection.tables.length === 0) return []
  const used = await usedElsewhere(selection, session)
  if (used.length === 0) return []
  return [
    `The chosen tables use what the dump does not hold: ${firstOf(used)}. Where that does not exist, foreign keys are left out and the rest cannot be restored. A backup of the whole database holds it, and single tables can be restored from that`,
  ]
}

/** Chosen schemas come without what is in others: what that takes away from their tables has to be known. */
async function rowsElsewhere({ tables, schemas }: Selection, session: Session): Promise<readonly string[]> {
  if (tables.length > 0 || schemas.length === 0) return []
  const values: unknown[] = []
  const chosen = anySchema(schemas, values)
  const rows = await session.query<DumpedTable & Record<string, unknown>>(
    `${namesOfTables} and c.relkind = 'r' and ${inFamily(chosen)} and not (${chosen}) order by 1, 2`,
    values,
  )
  if (rows.length === 0) return []
  return [`Rows of tables in the chosen schemas are in tables of other schemas, which are not dumped: ${named(rows)}`]
}

async function rowsOfPrimary(selection: Selection, session: Session): Promise<readonly string[]> {
  const tables = await tablesOfPrimary(selection, session)
  if (tables.length === 0) return []
  return [
    `The server is a standby, which has no rows of unlogged tables: the dump holds none of ${named(tables)}. Back up the primary, unless these can be done without`,
  ]
}

const named = (tables: readonly DumpedTable[]): string =>
  firstOf(tables.map(({ schema, name }) => quoteQualified(schema, name)))

/** The first of some texts, and how many more there are. */
function firstOf(texts: readonly string[]): string {
  return texts.slice(0, 10).join(', ') + (texts.length > 10 ? ` and ${texts.length - 10} more` : '')
}
