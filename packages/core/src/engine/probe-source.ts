import { BackupError } from '../backup-error.js'
import type { DatabaseInfo, ServerInfo } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import type { Job } from './job.js'

/**
 * Asks the source about itself before anything starts. A dump that would silently lack tables is refused here.
 *
 * @throws {BackupError} `source-missing`, `source-denied`, and what the driver's probe throws.
 */
export async function probeSource(job: Job, ctx: RunContext): Promise<{ server: ServerInfo; database: DatabaseInfo }> {
  const server = await job.source.probe(ctx)
  const { database } = server
  if (!database) {
    throw new BackupError('source-missing', {
      message: `There is no database ${JSON.stringify(job.source.database)} at ${job.source.display}`,
      hint: 'Check the name in the URL.',
    })
  }
  const wholeDatabase = !job.dump.tables && !job.dump.excludeTables && job.dump.sections !== 'schema'
  if (wholeDatabase && database.unreadable.length > 0) {
    const named = database.unreadable.slice(0, 5).join(', ')
    const more = database.unreadable.length > 5 ? ` and ${database.unreadable.length - 5} more` : ''
    throw new BackupError('source-denied', {
      message: `The user may not read ${named}${more} in ${job.source.display}: the backup would lack them`,
      hint: 'Grant the user the right to read them (in PostgreSQL: GRANT pg_read_all_data), or leave them out with excludeTables.',
    })
  }
  return { server, database }
}
