import type { BackupError } from '../backup-error.js'
import type { Driver } from './driver.js'

/**
 * A driver whose settings are not there, for example because the environment variable of its URL is not set. What
 * needs no database still works; the rest throws `problem` when it is used. So one job whose secret this host lacks
 * does not keep the others, or a look at the backups, from working.
 *
 * @param driver - Bound to no database in particular; without one the engine is not known either.
 */
export function withoutDatabase(problem: BackupError, driver?: Driver): Driver {
  const refuse = async (): Promise<never> => {
    throw problem
  }
  const { contents, check, sections, rows } = driver ?? {}
  return {
    engine: driver?.engine ?? 'unknown',
    display: 'a database whose settings are missing',
    database: '',
    unusable: problem,
    probe: refuse,
    dump: refuse,
    restore: refuse,
    ...(contents && { contents }),
    ...(check && { check }),
    ...(sections && { sections }),
    ...(rows && { rows }),
  }
}
