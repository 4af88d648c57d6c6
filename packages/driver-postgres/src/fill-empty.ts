import { fill } from './fill.js'
import type { Filling } from './filling.js'
import { quoteIdentifier } from './quoting.js'
import { withSession } from './session.js'
import { shielded } from './shielded.js'

/**
 * Fills a database without content. A dump of chosen tables does not hold the schemas that these are in: they are made
 * first, and go again where the restore fails.
 *
 * @throws As {@link fill}.
 */
export async function fillEmpty(filling: Filling): Promise<void> {
  const made = await makeSchemas(filling)
  try {
    await fill(filling)
  } catch (error) {
    await dropSchemas(made, filling)
    throw error
  }
}

/** @returns Their names. */
async function makeSchemas({ job, entries, connection }: Filling): Promise<readonly string[]> {
  const held = job.head?.entries ?? []
  // A whole dump makes its own, and extensions do.
  if (held.some(({ kind }) => kind === 'SCHEMA' || kind === 'EXTENSION')) return []
  const wanted = [...new Set((entries ?? held).flatMap(({ schema }) => schema ?? []))]
  const missing = await withSession(connection, job.ctx, async (session) => {
    const rows = await session.query<{ name: string }>(
      'select name from unnest($1::text[]) name where name not in (select nspname from pg_namespace) order by 1',
      [wanted],
    )
    for (const { name } of rows) await session.query(`create schema ${quoteIdentifier(name)}`)
    return rows.map(({ name }) => name)
  })
  if (missing.length > 0) {
    const [what, was] = missing.length === 1 ? ['schema', 'was'] : ['schemas', 'were']
    job.warnings.push(
      `The ${what} ${missing.map(quoteIdentifier).join(', ')}, not part of a backup of chosen tables, ${was} made without the grants and comments of before`,
    )
  }
  return missing
}

/** One that holds something by now is somebody else's, or goes with its database. */
async function dropSchemas(names: readonly string[], { connection, job }: Filling): Promise<void> {
  if (names.length === 0) return
  await withSession(connection, shielded(job.ctx), async (session) => {
    for (const name of names) await session.query(`drop schema ${quoteIdentifier(name)}`)
  }).catch(() => {})
}
