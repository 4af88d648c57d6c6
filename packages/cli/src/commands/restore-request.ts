import { BackupError, type RestoreOptions, type RestorePreview, type Sections } from '@holdfast/core'
import type { Cli } from '../cli.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { cappedJobs, modeOf } from './restore-target.js'

/** What the options ask of a restore, whatever it is read from. */
export function requestOf(options: RestoreCommandOptions, cli: Cli): Omit<RestoreOptions, 'into' | 'job' | 'storage'> {
  const mode = modeOf(options)
  const sections: Sections = options.schemaOnly ? 'schema' : options.dataOnly ? 'data' : 'all'
  return {
    sections,
    ...(mode !== undefined && { mode }),
    ...(options.tables && { tables: options.tables }),
    ...(options.jobs !== undefined && { jobs: cappedJobs(options.jobs, cli) }),
    ...(options.terminate && { terminateConnections: true }),
    ...(options.owner === false && { noOwner: true }),
    ...(options.privileges === false && { noPrivileges: true }),
    ...(options.globals && { globals: true }),
    ...(options.assert && { assertions: options.assert }),
    ...(options.keepOld !== undefined && { keepOld: options.keepOld }),
    ...(options.safetyBackup && { safetyBackup: true }),
  }
}

/** Problems that were found before anything was touched. */
export function refused(problems: RestorePreview['problems']): BackupError {
  const hints = [...new Set(problems.flatMap(({ hint }) => hint ?? []))]
  return new BackupError('restore-refused', {
    message: problems.map(({ message }) => message).join('; '),
    // Each in a line of its own: what one says after an "or" does not help against another.
    hint: ['Nothing was touched.', ...hints].join(hints.length > 1 ? '\n' : ' '),
  })
}
