import type { Driver, Replaced, RestoreMode, RestoreReport } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import { blamingDamage, fromCopies } from './from-copies.js'
import type { PreparedRestore } from './prepare-restore.js'
import type { RestoreCopy } from './restore-copy.js'
import type { RestoreWay } from './restore-way.js'
import { type StagedReport, stagedRestore } from './staged-restore.js'

/** What a restore came to. */
export interface RestoreRun extends RestoreReport, Replaced {
  readonly mode: RestoreWay
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
export async function runRestore(prepared: PreparedRestore, ctx: RunContext): Promise<RestoreRun> {
  const started = ctx.clock.monotonic()
  return fromCopies(
    prepared.copies,
    async (copy) => {
      const report = await restoreFrom(copy, prepared, ctx)
      return { ...report, mode: prepared.way, storage: copy.name, durationMs: ctx.clock.monotonic() - started }
    },
    ctx,
  )
}

async function restoreFrom(copy: RestoreCopy, prepared: PreparedRestore, ctx: RunContext): Promise<StagedReport> {
  const { target, way, aside, keepsOld, keepMs } = prepared
  const { assertions = [], mode: _, ...request } = prepared.request
  const inPlace = way === 'clean' || way === 'append'
  if (inPlace) {
    // In place, the old objects are gone once the transaction ends.
    ctx.report({ type: 'stage', stage: 'read-through', detail: copy.name })
    await copy.readThrough(ctx)
  }
  await requireKey(copy, ctx)
  ctx.report({ type: 'stage', stage: 'restore', detail: copy.name })
  const into = (driver: Driver, mode: RestoreMode): Promise<RestoreReport> =>
    blamingDamage(copy, () => driver.restore(copy.source, { ...request, mode }, ctx), ctx)
  if (!aside) return into(target, inPlace ? way : 'create')
  const { manifest } = copy.source
  const fill = (scratch: Driver): Promise<RestoreReport> => into(scratch, 'create')
  const old = { wasEmpty: way === 'create', ...(keepsOld && { keepMs }) }
  return stagedRestore({ manifest, target, request, assertions, fill, ...old }, ctx)
}

/** A key that does not fit is noticed before anything is touched. */
async function requireKey({ source }: RestoreCopy, ctx: RunContext): Promise<void> {
  for (const part of source.parts) {
    if (part.cipher) for await (const _ of source.open(part.name, ctx)) break
  }
}
