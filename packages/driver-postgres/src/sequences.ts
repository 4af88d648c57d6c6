import type { ArchiveEntry } from './archive.js'
import { quoteLiteral, quoteQualified } from './quoting.js'
import type { Session } from './session.js'

/** Where a sequence stands. */
interface Position {
  readonly name: string
  readonly last: bigint
  readonly called: boolean
  readonly ascending: boolean
}

/**
 * Reads where those sequences stand that a restore will set and the target has. Transactions do not cover sequences:
 * what a failed restore has set stays set, unless somebody sets it back.
 */
export async function readSequences(session: Session, entries: readonly ArchiveEntry[]): Promise<readonly Position[]> {
  const positions: Position[] = []
  for (const { kind, schema, tag } of entries) {
    if (kind !== 'SEQUENCE SET') continue
    const [sequence] = await session.query<{ ascending: boolean }>(
      `select seqincrement > 0 as ascending from pg_sequence s join pg_class c on c.oid = s.seqrelid
         join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
      [schema, tag],
    )
    if (!sequence) continue
    const name = quoteQualified(schema, tag)
    const [row] = await session.query<{ last: string; called: boolean }>(
      `select last_value::text as last, is_called as called from ${name}`,
    )
    if (row) positions.push({ name, last: BigInt(row.last), called: row.called, ascending: sequence.ascending })
  }
  return positions
}

/**
 * Sets sequences back.
 *
 * @param which - `all` after a failure; `ahead`: those that stood further than the dump, whose next values would
 *   otherwise collide with rows that are there.
 */
export async function putBackSequences(
  session: Session,
  positions: readonly Position[],
  which: 'all' | 'ahead',
): Promise<void> {
  for (const { name, last, called, ascending } of positions) {
    const set = `select setval(${quoteLiteral(name)}::regclass, ${last}, ${called})`
    const further = ascending ? `last_value < ${last}` : `last_value > ${last}`
    await session.query(which === 'all' ? set : `${set} from ${name} where ${further}`)
  }
}
