import type { ByteStream } from '@holdfast/core'
import type { Filling } from './filling.js'
import { runPsql } from './psql.js'
import { filterScript } from './script-filter.js'
import { scriptFilter } from './script-rules.js'
import { withSession } from './session.js'

/**
 * Runs a script of pg_dump or pg_restore against the database of the filling, without what the filling does not want.
 *
 * @param filterSettings - Whether the script may name settings that the server does not know.
 */
export async function runScript(
  filling: Filling,
  script: ByteStream,
  { filterSettings }: { readonly filterSettings: boolean },
): Promise<void> {
  const { job, target: server, connection, singleTransaction } = filling
  if (filling.jobs > 1) {
    job.warnings.push(
      'Restored with one connection: this dump goes to the server as a script, which several cannot share',
    )
  }
  const knownSettings = filterSettings ? await settingsOf(filling) : undefined
  const filter = scriptFilter({
    ...(knownSettings ? { knownSettings } : {}),
    noOwner: job.request.noOwner ?? false,
    noPrivileges: job.request.noPrivileges ?? false,
    inTransaction: singleTransaction,
    ...(filling.inherited ? { inherited: filling.inherited } : {}),
    ...(filling.omit ? { omit: filling.omit } : {}),
  })
  await runPsql(job, { connection, server, singleTransaction }, filterScript(script, filter))
}

async function settingsOf({ connection, target, job }: Filling): Promise<ReadonlySet<string>> {
  const pinned = { ...connection, endpoints: [target.endpoint] as const }
  const rows = await withSession(pinned, job.ctx, (session) =>
    session.query<{ name: string }>('select lower(name) as name from pg_settings'),
  )
  return new Set(rows.map(({ name }) => name))
}
