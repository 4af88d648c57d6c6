import { messageOf, type RunContext } from '@holdfast/core'
import type { Connection } from './connection.js'
import { quoteIdentifier } from './quoting.js'
import { withSession } from './session.js'
import { shielded } from './shielded.js'

/**
 * A database with subscriptions cannot be dropped. Those of a dump are not connected, and are taken away without a word
 * to the publisher: the slot there belongs to the subscription in earnest.
 */
export async function dropSubscriptions(connection: Connection, ctx: RunContext): Promise<void> {
  try {
    await withSession(connection, shielded(ctx), async (session) => {
      const found = await session.query<{ name: string }>(
        `select subname::text as name from pg_subscription s join pg_database d on d.oid = s.subdbid
          where d.datname = current_database()`,
      )
      for (const { name } of found) {
        const subscription = quoteIdentifier(name)
        await session.query(`alter subscription ${subscription} disable`)
        await session.query(`alter subscription ${subscription} set (slot_name = none)`)
        await session.query(`drop subscription ${subscription}`)
      }
    })
  } catch (error) {
    ctx.log.debug(`Subscriptions of the scratch were not looked for: ${messageOf(error)}`)
  }
}
