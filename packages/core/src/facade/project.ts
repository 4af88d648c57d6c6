import { BackupError, messageOf } from '../backup-error.js'
import type { Catalog } from '../catalog/catalog.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import type { Cipher } from '../cipher/cipher.js'
import { closest } from '../closest.js'
import { type HoldfastConfig, resolveConfig } from '../config.js'
import type { Driver } from '../driver/driver.js'
import type { BackupRecord } from '../engine/backup-record.js'
import { type InUse, trackUse } from '../engine/in-use.js'
import type { Job } from '../engine/job.js'
import { readBackups, type StoredBackups } from '../engine/read-backups.js'
import { type Eligible, fromTheFuture, passedOver, selectBackup } from '../engine/select-backup.js'
import type { Layout } from '../layout/layout.js'
import { wholeObjectLayout } from '../layout/whole-object-layout.js'
import { quoted } from '../quoted.js'
import { createRunContext, type RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { CallOptions, Scope } from './calls.js'

/** A configuration, resolved, and the questions that every call asks of it. */
export interface Project {
  readonly storages: ReadonlyMap<string, Storage>
  readonly jobs: ReadonlyMap<string, Job>
  readonly catalog: Catalog
  readonly layout: Layout
  /** What is being read now. */
  readonly inUse: InUse
  contextOf(options: CallOptions): RunContext
  /** @throws {BackupError} `no-match` for a storage that is not known. */
  inScope(scope: Scope): Storage[]
  /**
   * The backup that a selector names.
   *
   * @param eligible - Which backups `latest` may mean. Default: those that can be restored; it is said then which newer
   *   ones were passed over.
   */
  find(selector: string, scope: Scope, ctx: RunContext, eligible?: Eligible): Promise<BackupRecord>
  /** The same, with what {@link Project.find} only logs: what else may have been meant. */
  search(selector: string, scope: Scope, ctx: RunContext, eligible?: Eligible): Promise<FoundBackup>
  /** Storages with a copy: those that look whole first, and those that cost no network before others. */
  holders(backup: BackupRecord): Storage[]
  /** The source of the backup's job, or of any job of its engine. */
  driverFor(backup: BackupRecord): Driver | undefined
  /** What reads the backup: of the configuration's `ciphers`, its job's and then other jobs', the first with a key. */
  cipherFor(backup: Pick<BackupRecord, 'job' | 'manifest'>): Cipher | undefined
  /** Everything that may decrypt. */
  readonly ciphers: readonly Cipher[]
}

/** A backup that was looked for, and what speaks against its being the one that was meant. */
interface FoundBackup {
  readonly backup: BackupRecord
  readonly warnings: readonly string[]
}

/** @throws {BackupError} `config-invalid`. */
export function openProject(config: HoldfastConfig): Project {
  const { storages, jobs } = resolveConfig(config)

  const ciphersOf = (jobNames: readonly string[]): Cipher[] =>
    [...(config.ciphers ?? []), ...jobNames.map((name) => jobs.get(name)?.cipher)].filter((one) => one !== undefined)

  const inScope = (scope: Scope): Storage[] =>
    scope.storage === undefined ? [...storages.values()] : [pick(storages, scope.storage, 'storage')]

  const catalog = config.catalog ?? memoryCatalog()

  const search: Project['search'] = async (selector, scope, ctx, eligible) => {
    const stored = await readBackups(inScope(scope), { job: scope.job }, catalog, ctx)
    const { backups } = stored
    // By its whole id a backup is named for good: what else there may be does not matter.
    const unseen = backups.some(({ id }) => id === selector) ? [] : unseenIn(stored)
    try {
      const backup = selectBackup(backups, selector, eligible)
      return { backup, warnings: [...unseen, ...(eligible ? [] : doubtsOf(backup, backups, selector, ctx))] }
    } catch (error) {
      for (const warning of unseen) ctx.log.warn(warning) // it may be there
      throw error
    }
  }

  return {
    storages,
    jobs,
    catalog,
    layout: wholeObjectLayout,
    inUse: trackUse(),
    inScope,

    contextOf: (options) =>
      createRunContext({
        ...(options.signal && { signal: options.signal }),
        ...(options.onProgress && { report: options.onProgress }),
        ...(config.logger && { log: config.logger }),
        ...(config.clock && { clock: config.clock }),
      }),

    search,

    async find(...asked) {
      const { backup, warnings } = await search(...asked)
      for (const warning of warnings) asked[2].log.warn(warning)
      return backup
    },

    holders(backup) {
      const rank = (storage: Storage): number => {
        const whole = backup.copies.some((copy) => copy.storage === storage.name && copy.status === 'complete')
        return (whole ? 0 : 2) + (storage.isLocal ? 0 : 1)
      }
      const names = backup.copies.map((copy) => copy.storage)
      return [...storages.values()].filter(({ name }) => names.includes(name)).sort((a, b) => rank(a) - rank(b))
    },

    driverFor(backup) {
      const own = jobs.get(backup.job)?.source
      if (own?.engine === backup.engine) return own
      return [...jobs.values()].find(({ source }) => source.engine === backup.engine)?.source
    },

    cipherFor({ job, manifest }) {
      const wanted = manifest.parts.find(({ cipher }) => cipher)?.cipher?.id
      const found = ciphersOf([job, ...jobs.keys()]).find(({ id, canDecrypt }) => id === wanted && canDecrypt)
      return found ?? jobs.get(job)?.cipher
    },

    ciphers: ciphersOf([...jobs.keys()]),
  }
}

/** What could not be looked at. */
function unseenIn({ unreachable, damaged }: StoredBackups): readonly string[] {
  return [
    ...unreachable.map(
      ({ storage, error }) => `Storage ${storage} cannot be read, and may hold a newer backup: ${messageOf(error)}`,
    ),
    ...damaged.map(({ problem }) => problem),
  ]
}

/** Why another may have been meant. */
function doubtsOf(
  chosen: BackupRecord,
  backups: readonly BackupRecord[],
  selector: string,
  { clock }: RunContext,
): readonly string[] {
  const doubt = fromTheFuture(selector, chosen, clock.now())
  return [...passedOver(backups, selector, chosen), ...(doubt === undefined ? [] : [doubt])]
}

/** For {@link Project.find}: damaged backups are looked at too; they are only not restored unasked. */
export const anyState: Eligible = (backups) => backups

/** @throws {BackupError} `no-match`, with what was probably meant. */
export function pick<Value>(from: ReadonlyMap<string, Value>, name: string, what: string): Value {
  const found = from.get(name)
  if (found !== undefined) return found
  throw new BackupError('no-match', {
    message: `No ${what} is called ${quoted(name)}${closest(name, [...from.keys()])}`,
  })
}

/** @throws {BackupError} `no-match` where there is not one job alone. */
export function onlyJob(jobs: ReadonlyMap<string, Job>): Job {
  const [only, another] = jobs.values()
  if (only && !another) return only
  throw new BackupError('no-match', {
    message: only ? `There are ${jobs.size} jobs: say which` : 'There is no job',
    hint: only ? `Name one of: ${[...jobs.keys()].join(', ')}.` : 'Add one to the configuration.',
  })
}
