import { requireTrailer } from '@holdfast/core'
import { fillFromArchive } from './fill-archive.js'
import type { Filling } from './filling.js'
import { runScript } from './run-script.js'

/**
 * Restores the dump of the job into the filling's database. Damage shows as an error, after the client is gone
 * without having seen the end of its input.
 *
 * @throws {BackupError} `restore-failed`, and what the backup's stream throws.
 */
export async function fill(filling: Filling): Promise<void> {
  const { job } = filling
  if (job.dump.format === 'custom') return await fillFromArchive(filling)
  const { part } = job.dump
  const script = job.from.open(part.name, job.ctx)
  const whole = part.trailer ? requireTrailer(script, part.trailer) : script
  await runScript(filling, whole, { filterSettings: filling.target.major < job.dumpMajor })
}
