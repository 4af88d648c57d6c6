import type { HoldfastConfig } from './config.js'
import { readBackups } from './engine/read-backups.js'
import { cleanUpAsides, listAsides, undoRestore } from './facade/asides.js'
import { backupJob } from './facade/backup.js'
import { copyTo } from './facade/copy.js'
import type { Holdfast } from './facade/holdfast.js'
import { openParts } from './facade/open.js'
import { setPin } from './facade/pin.js'
import { anyState, openProject } from './facade/project.js'
import { planPrune, pruneJob } from './facade/prune.js'
import { previewRestore, restoreBackup } from './facade/restore.js'
import { restoreFile } from './facade/restore-file.js'
import { dueNow, verifyBackup } from './facade/verify.js'

/**
 * Joins databases and storages.
 *
 * @example
 * ```ts
 * import { createHoldfast } from '@holdfast/core'
 * import { postgres } from '@holdfast/driver-postgres'
 * import { local } from '@holdfast/storage-local'
 *
 * const holdfast = createHoldfast({
 *   jobs: { shop: { source: postgres({ url: 'postgres://localhost/shop' }), storages: [local({ path: './backups' })] } },
 * })
 * const { backup } = await holdfast.backup('shop')
 * console.log(`${backup.name}, ${backup.storedBytes} bytes, restorable`)
 * ```
 * @throws {BackupError} `config-invalid`.
 */
export function createHoldfast(config: HoldfastConfig): Holdfast {
  const project = openProject(config)
  const { storages, jobs, contextOf } = project
  const holdfast: Holdfast = {
    jobs: [...jobs.keys()],
    storages: [...storages.keys()],

    backup: (job, options = {}) => backupJob(project, job, options),
    restore: (selector, options = {}) => restoreBackup(project, selector, options),
    previewRestore: (selector, options = {}) => previewRestore(project, selector, options),
    restoreFile: (file, options) => restoreFile(project, file, options),
    undo: (database, options = {}) => undoRestore(project, database, options),
    asides: (database, options = {}) => listAsides(project, database, options),
    cleanup: (database, options = {}) => cleanUpAsides(project, database, options),
    verify: (selector, options = {}) => verifyBackup(project, selector, options),
    dueVerifications: async (scope = {}) => dueNow(project, scope),

    plan: (job, options = {}) => planPrune(project, job, options),
    prune: (job, options = {}) => pruneJob(project, job, options),
    pin: (selector, options = {}) => setPin(project, selector, true, options),
    unpin: (selector, options = {}) => setPin(project, selector, false, options),

    list: async (scope = {}) =>
      readBackups(project.inScope(scope), { job: scope.job }, project.catalog, contextOf(scope)),
    show: async (selector, options = {}) =>
      project.find(selector, options, contextOf(options), options.restorable ? undefined : anyState),
    copy: (selector, to, options = {}) => copyTo(project, selector, to, options),
    open: (selector, options = {}) => openParts(project, selector, options),

    async before(job, task, options) {
      await holdfast.backup(job, options)
      return task()
    },

    async close() {
      await Promise.all([...storages.values()].map((storage) => storage.close?.()))
    },

    async [Symbol.asyncDispose]() {
      await holdfast.close()
    },
  }
  return holdfast
}
