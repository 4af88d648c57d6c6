import { BackupError, messageOf } from './backup-error.js'
import type { ByteStream } from './byte-stream.js'
import { memoryCatalog } from './catalog/memory-catalog.js'
import { closest } from './closest.js'
import { type HoldfastConfig, resolveConfig } from './config.js'
import type { Driver, RestoreRequest } from './driver/driver.js'
import type { BackupRecord } from './engine/backup-record.js'
import { copyBackup } from './engine/copy-backup.js'
import type { Job } from './engine/job.js'
import { acquireLease } from './engine/lease.js'
import { readBackups, type StoredBackups, toRecord } from './engine/read-backups.js'
import { type BackupRun, runBackup } from './engine/run-backup.js'
import { type RestoreRun, runRestore } from './engine/run-restore.js'
import { selectBackup } from './engine/select-backup.js'
import { ensureIdentity } from './engine/storage-identity.js'
import type { Verification } from './engine/verification.js'
import { type VerifyMeans, verifyCopy } from './engine/verify-backup.js'
import type { BackupType, ManifestPart } from './layout/manifest.js'
import { plainBytes, storedBytes } from './layout/read-part.js'
import { wholeObjectLayout } from './layout/whole-object-layout.js'
import { createRunContext, type ProgressEvent, type RunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { uuidV7 } from './uuid-v7.js'

/** What every call takes. */
export interface CallOptions {
  /** Aborts the call; it rejects with the signal's reason and leaves nothing half-published. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: ProgressEvent) => void
}

/** Which backups a call is about. */
export interface Scope {
  /** Only backups of this job. */
  readonly job?: string
  /** Only what lies on this storage. */
  readonly storage?: string
}

/** Options of {@link Holdfast.backup}. */
export interface BackupOptions extends CallOptions {
  /** Default `manual`. */
  readonly type?: BackupType
  /** A note that the manifest keeps. */
  readonly label?: string
}

/** What {@link Holdfast.backup} made. */
export interface BackupResult extends Pick<BackupRun, 'status' | 'filled' | 'durationMs'> {
  readonly backup: BackupRecord
  /** Every storage of the job, and how its copy fared. */
  readonly copies: readonly {
    readonly storage: string
    readonly status: 'complete' | 'failed'
    readonly error?: string
  }[]
  readonly warnings: readonly string[]
}

/** Options of {@link Holdfast.restore}. */
export interface RestoreOptions
  extends CallOptions,
    Scope,
    Omit<RestoreRequest, 'mode'>,
    Partial<Pick<RestoreRequest, 'mode'>> {
  /** A driver bound to the target database. Default: the source of the backup's job. */
  readonly into?: Driver
}

/** What {@link Holdfast.restore} did. */
export interface RestoreResult extends RestoreRun {
  readonly backup: BackupRecord
  /** What may be shown of the target. */
  readonly target: string
}

/** Options of {@link Holdfast.verify}. */
export interface VerifyOptions extends CallOptions, Scope {
  /** Reads the dump with the engine's own tool. Default: the source of the backup's job, or of any job of its engine. */
  readonly driver?: Driver
}

/** What {@link Holdfast.verify} found. */
export interface VerifyResult {
  readonly backup: BackupRecord
  /** `corrupt` if any copy is; else `unreadable` if any copy could not be read at all. */
  readonly status: CopyVerification['status']
  readonly copies: readonly CopyVerification[]
}

/** What {@link Holdfast.verify} found of one copy. */
export type CopyVerification =
  | (Verification & { readonly storage: string })
  | { readonly storage: string; readonly status: 'unreadable'; readonly problem: string; readonly error: unknown }

/** A part of a backup, open for reading. */
export interface OpenedPart {
  readonly part: ManifestPart
  /** File name of what is read: without the codec's extension where it is plain. */
  readonly fileName: string
  readonly stream: ByteStream
}

/** Backups of some databases on some storages: what {@link createHoldfast} returns. */
export interface Holdfast extends AsyncDisposable {
  /** Names of the jobs. */
  readonly jobs: readonly string[]
  /** Names of the storages. */
  readonly storages: readonly string[]
  /**
   * Takes a backup now.
   *
   * @param job - May be left out when there is one job only.
   * @returns once the manifest is durable on every storage that works; `partial` if some storage failed.
   * @throws {BackupError} when fewer than `minCopies` copies are complete.
   */
  backup(job?: string, options?: BackupOptions): Promise<BackupResult>
  /** Restores the backup that `selector` names: an id or its beginning, `latest`, `latest~1`, or a job. */
  restore(selector: string, options?: RestoreOptions): Promise<RestoreResult>
  /** Re-reads every copy of a backup to its end. Damage is a result, and so is a copy that cannot be read now. */
  verify(selector: string, options?: VerifyOptions): Promise<VerifyResult>
  /** What the storages hold, newest first. */
  list(scope?: Scope & CallOptions): Promise<StoredBackups>
  /**
   * One backup.
   *
   * @param options.restorable - Pass over backups without a whole copy, as a restore does; an id names its backup in
   *   any state. Default `false`.
   */
  show(selector: string, options?: Scope & CallOptions & { readonly restorable?: boolean }): Promise<BackupRecord>
  /**
   * Copies a backup to another storage as it lies, hashes checked on the way.
   *
   * @returns `copied: false` when a whole copy is there already; it is left alone.
   */
  copy(selector: string, to: string, options?: CallOptions & Scope): Promise<{ readonly copied: boolean }>
  /**
   * Opens the parts of a backup, from the first storage that holds a whole copy.
   *
   * @param options.content - `stored` (default): the bytes as they lie; `plain`: decrypted and decompressed.
   */
  open(
    selector: string,
    options?: Scope & CallOptions & { readonly content?: 'stored' | 'plain' },
  ): Promise<{ readonly backup: BackupRecord; readonly parts: readonly OpenedPart[] }>
  /** Takes a backup, then runs the task: for migrations. The task does not run unless the backup is whole. */
  before<Result>(job: string, task: () => Promise<Result>, options?: BackupOptions): Promise<Result>
  /** Closes every storage of the configuration: they belong to this from the moment they were given to it. */
  close(): Promise<void>
}

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
  const { storages, jobs } = resolveConfig(config)
  const catalog = config.catalog ?? memoryCatalog()
  const layout = wholeObjectLayout

  const contextOf = (options: CallOptions = {}): RunContext =>
    createRunContext({
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { report: options.onProgress }),
      ...(config.logger && { log: config.logger }),
      ...(config.clock && { clock: config.clock }),
    })

  const inScope = (scope: Scope = {}): Storage[] =>
    scope.storage === undefined ? [...storages.values()] : [pick(storages, scope.storage, 'storage')]

  const find = async (
    selector: string,
    scope: Scope | undefined,
    ctx: RunContext,
    counts?: (backup: BackupRecord) => boolean,
  ): Promise<BackupRecord> => {
    const { backups, unreachable, damaged } = await readBackups(inScope(scope), { job: scope?.job }, ctx)
    for (const { storage, error } of unreachable) ctx.log.warn(`Storage ${storage} cannot be read: ${messageOf(error)}`)
    for (const { problem } of damaged) ctx.log.warn(problem)
    return selectBackup(backups, selector, counts)
  }

  /** Copies that look whole first, and those that cost no network before others. */
  const holders = (backup: BackupRecord): Storage[] => {
    const rank = (storage: Storage): number => {
      const whole = backup.copies.some((copy) => copy.storage === storage.name && copy.status === 'complete')
      return (whole ? 0 : 2) + (storage.isLocal ? 0 : 1)
    }
    const names = backup.copies.map((copy) => copy.storage)
    return [...storages.values()].filter(({ name }) => names.includes(name)).sort((a, b) => rank(a) - rank(b))
  }

  const driverFor = (backup: BackupRecord): Driver | undefined => {
    const own = jobs.get(backup.job)?.source
    if (own?.engine === backup.engine) return own
    return [...jobs.values()].find(({ source }) => source.engine === backup.engine)?.source
  }

  const holdfast: Holdfast = {
    jobs: [...jobs.keys()],
    storages: [...storages.keys()],

    async backup(name, options = {}) {
      const job = name === undefined ? onlyJob(jobs) : pick(jobs, name, 'job')
      const request = {
        type: options.type ?? 'manual',
        ...(options.label !== undefined && { label: options.label }),
      } as const
      const run = await runBackup(job, request, { catalog, layout }, contextOf(options))
      return toResult(run)
    },

    async restore(selector, options = {}) {
      const { into, job, storage, signal, onProgress, ...request } = options
      const ctx = contextOf(options)
      const backup = await find(selector, options, ctx)
      const target = into ?? jobs.get(backup.job)?.source
      if (!target) {
        throw new BackupError('config-invalid', {
          message: `No target was named for ${backup.name}, and no job is called ${JSON.stringify(backup.job)}`,
          hint: 'Say into which database to restore.',
        })
      }
      const plan = {
        manifest: backup.manifest,
        storages: holders(backup),
        target,
        request,
        cipher: jobs.get(backup.job)?.cipher,
      }
      return { backup, target: target.display, ...(await runRestore(plan, layout, ctx)) }
    },

    async verify(selector, options = {}) {
      const ctx = contextOf(options)
      const backup = await find(selector, options, ctx, anyState)
      ctx.report({ type: 'stage', stage: 'verify', detail: backup.name })
      const means = { driver: options.driver ?? driverFor(backup), cipher: jobs.get(backup.job)?.cipher }
      const copies: CopyVerification[] = []
      for (const storage of holders(backup)) copies.push(await verifyOn(storage, backup, means, ctx))
      const worst = (['corrupt', 'unreadable'] as const).find((status) => copies.some((copy) => copy.status === status))
      return { backup, copies, status: worst ?? 'intact' }
    },

    list: (scope = {}) => readBackups(inScope(scope), { job: scope.job }, contextOf(scope)),

    show: (selector, options = {}) =>
      find(selector, options, contextOf(options), options.restorable ? undefined : anyState),

    async copy(selector, to, options = {}) {
      const ctx = contextOf(options)
      const target = pick(storages, to, 'storage')
      const backup = await find(selector, options, ctx)
      const [from] = holders(backup).filter((storage) => storage !== target)
      if (!from) throw new BackupError('no-match', { message: `No other storage than ${to} holds ${backup.name}` })
      if (backup.copies.some(({ storage, status }) => storage === to && status === 'complete')) return { copied: false }
      await ensureIdentity(target, catalog, ctx)
      await using _lease = await acquireLease(target, backup.job, uuidV7(ctx.clock.now()), ctx)
      await copyBackup(backup.base, from, target, ctx)
      return { copied: true }
    },

    async open(selector, options = {}) {
      const ctx = contextOf(options)
      const backup = await find(selector, options, ctx)
      const [from] = holders(backup)
      if (!from) throw new BackupError('no-match', { message: `No storage holds ${backup.name}` })
      const parts = backup.manifest.parts.map((part) => {
        const stored = storedBytes(part, from, 'restore', ctx)
        if (options.content !== 'plain') return { part, fileName: fileNameOf(part.key), stream: stored }
        const { stream } = plainBytes(part, stored, jobs.get(backup.job)?.cipher, ctx)
        return { part, fileName: `${backup.name}.${part.name}`, stream }
      })
      return { backup, parts }
    },

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

async function verifyOn(
  storage: Storage,
  backup: BackupRecord,
  means: VerifyMeans,
  ctx: RunContext,
): Promise<CopyVerification> {
  try {
    return { storage: storage.name, ...(await verifyCopy(backup.manifest, backup.base, storage, means, ctx)) }
  } catch (error) {
    ctx.signal.throwIfAborted()
    return { storage: storage.name, status: 'unreadable', problem: messageOf(error), error }
  }
}

/** Damaged backups are looked at too; they are only not restored unasked. */
const anyState = (): boolean => true

function toResult({ status, manifest, base, copies, filled, durationMs }: BackupRun): BackupResult {
  const whole = copies.filter((copy) => copy.status === 'complete')
  const found = whole.map(({ storage }) => ({
    copy: { storage: storage.name, status: 'complete' as const },
    verification: undefined,
  }))
  return {
    status,
    backup: toRecord(base, manifest, found),
    copies: copies.map((copy) => ({
      storage: copy.storage.name,
      status: copy.status,
      ...(copy.status === 'failed' && { error: messageOf(copy.error) }),
    })),
    filled,
    warnings: manifest.warnings,
    durationMs,
  }
}

function onlyJob(jobs: ReadonlyMap<string, Job>): Job {
  const [only, another] = jobs.values()
  if (only && !another) return only
  throw new BackupError('no-match', {
    message: only ? `There are ${jobs.size} jobs: say which` : 'There is no job',
    hint: only ? `Name one of: ${[...jobs.keys()].join(', ')}.` : 'Add one to the configuration.',
  })
}

function pick<Value>(from: ReadonlyMap<string, Value>, name: string, what: string): Value {
  const found = from.get(name)
  if (found !== undefined) return found
  throw new BackupError('no-match', {
    message: `No ${what} is called ${JSON.stringify(name)}${closest(name, [...from.keys()])}`,
  })
}

function fileNameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
