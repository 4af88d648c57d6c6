import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { Cipher } from '../cipher/cipher.js'
import type { Driver, RestoreMode, RestoreReport, RestoreRequest } from '../driver/driver.js'
import type { Layout } from '../layout/layout.js'
import type { Manifest } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { readThrough } from './verify-backup.js'

/** What to restore, from where, into what. */
export interface RestorePlan {
  readonly manifest: Manifest
  /** Storages that hold a copy, in the order in which to try them. */
  readonly storages: readonly Storage[]
  readonly target: Driver
  /** Without a mode: `create`, if the target is missing or empty. */
  readonly request: Omit<RestoreRequest, 'mode'> & { readonly mode?: RestoreMode }
  readonly cipher?: Cipher | undefined
}

/** What a restore came to. */
export interface RestoreRun extends RestoreReport {
  readonly mode: RestoreMode
  /** Storage from which it was read. */
  readonly storage: string
  readonly durationMs: number
}

/**
 * Restores a backup. Copies are tried one after the other: a damaged one leaves the target as it was, and the next
 * is tried.
 *
 * @throws {BackupError} `restore-refused`, `target-not-empty`, `target-in-use` before anything was touched; `corrupt`
 *   when no copy is whole; `restore-failed`.
 */
export async function runRestore(plan: RestorePlan, layout: Layout, ctx: RunContext): Promise<RestoreRun> {
  const started = ctx.clock.monotonic()
  ctx.report({ type: 'stage', stage: 'preflight' })
  requireSameEngine(plan)
  const mode = plan.request.mode ?? (await modeFor(plan, ctx))
  const request: RestoreRequest = { ...plan.request, mode }
  let failure: unknown = new BackupError('not-found', { message: `No storage holds backup ${plan.manifest.id}` })
  for (const storage of plan.storages) {
    try {
      const report = await restoreFrom(storage, plan, request, layout, ctx)
      return { ...report, mode, storage: storage.name, durationMs: ctx.clock.monotonic() - started }
    } catch (thrown) {
      ctx.signal.throwIfAborted()
      const error = await causeOf(thrown, storage, plan.manifest, ctx)
      if (!isTheCopysFault(error)) throw error
      ctx.log.warn(`The copy on ${storage.name} cannot be used: ${messageOf(error)}`)
      ctx.report({ type: 'copy', storage: storage.name, status: 'failed', message: messageOf(error) })
      failure = error
    }
  }
  throw failure
}

async function restoreFrom(
  storage: Storage,
  plan: RestorePlan,
  request: RestoreRequest,
  layout: Layout,
  ctx: RunContext,
): Promise<RestoreReport> {
  if (isInPlace(request.mode)) {
    ctx.report({ type: 'stage', stage: 'read-through', detail: storage.name })
    await readThrough(plan.manifest, storage, ctx)
  }
  ctx.report({ type: 'stage', stage: 'restore', detail: storage.name })
  const source = layout.read(plan.manifest, { storages: [storage], ...(plan.cipher && { cipher: plan.cipher }) })
  return plan.target.restore(source, request, ctx)
}

/** Damage can make the client fail before the stream has come to its end, where hashes are compared. */
async function causeOf(error: unknown, storage: Storage, manifest: Manifest, ctx: RunContext): Promise<unknown> {
  if (!isBackupError(error, 'restore-failed')) return error
  try {
    await readThrough(manifest, storage, ctx)
    return error
  } catch (damage) {
    return isBackupError(damage, 'corrupt') ? damage : error
  }
}

/** In place, the old objects are gone once the transaction ends: stored bytes are read through first. */
function isInPlace(mode: RestoreMode): boolean {
  return mode === 'clean' || mode === 'append'
}

function isTheCopysFault(error: unknown): boolean {
  const codes = ['corrupt', 'not-found', 'unavailable', 'storage-denied'] as const
  return codes.some((code) => isBackupError(error, code))
}

async function modeFor({ target }: RestorePlan, ctx: RunContext): Promise<RestoreMode> {
  const { database } = await target.probe(ctx)
  if (!database || database.empty) return 'create'
  throw new BackupError('target-not-empty', {
    message: `${target.display} exists and holds ${database.tables} ${database.tables === 1 ? 'table' : 'tables'}`,
    hint: 'Say what to do with it: replace (restore beside it, then take its place), clean (drop and make again what the backup holds) or append; or name another database.',
  })
}

function requireSameEngine({ manifest, target }: RestorePlan): void {
  if (manifest.engine === target.engine) return
  throw new BackupError('restore-refused', {
    message: `Backup ${manifest.id} is of ${manifest.engine} and cannot be restored into ${target.display} (${target.engine})`,
    hint: 'Name a target of the same engine.',
  })
}
