import { BackupError, messageOf } from '../backup-error.js'
import type { Driver, Replaced, RestoreReport, RestoreRequest } from '../driver/driver.js'
import type { Manifest } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import { type Assertion, requireAssertions } from './assertions.js'

/** A restore into a scratch that takes the place of the target. */
export interface StagedPlan {
  readonly manifest: Manifest
  readonly target: Driver
  readonly request: Pick<RestoreRequest, 'noOwner' | 'noPrivileges' | 'terminateConnections'>
  readonly assertions: readonly Assertion[]
  /** For how long what was there before stays, under another name. Absent: it is dropped at the end. */
  readonly keepMs?: number
  /**
   * Whether the target held nothing when all was planned: then nobody has agreed to lose what it holds at the end, and
   * it stays in any case.
   */
  readonly wasEmpty?: boolean
  /** Restores into the scratch. */
  fill(scratch: Driver): Promise<RestoreReport>
}

/** What a staged restore did. */
export interface StagedReport extends RestoreReport, Replaced {}

/**
 * Restores beside the target, looks whether all is well, and swaps. Whatever fails before the swap, the target was
 * never touched and the scratch is gone.
 */
export async function stagedRestore(plan: StagedPlan, ctx: RunContext): Promise<StagedReport> {
  const { manifest, target, request, assertions, keepMs, fill } = plan
  const { noOwner, noPrivileges, terminateConnections = false } = request
  const kinds = { ...(noOwner && { noOwner }), ...(noPrivileges && { noPrivileges }) }
  const wanted = { manifest, toSwap: true, terminateConnections, ...kinds }
  await using scratch = await target.scratch?.(wanted, ctx)
  if (!scratch?.swap) throw cannotSwap(target)
  const report = await fill(scratch.driver)
  if (assertions.length > 0) ctx.report({ type: 'stage', stage: 'assertions' })
  await requireAssertions(assertions, scratch.driver, ctx)
  ctx.report({ type: 'stage', stage: 'swap' })
  if (plan.wasEmpty) await requireStillEmpty(target, ctx)
  const keep = keepMs === undefined ? {} : { keepUntil: new Date(ctx.clock.now().getTime() + keepMs) }
  const { oldName, keepUntil } = await scratch.swap({ terminateConnections, ...keep }, ctx)
  if (oldName === undefined) return { ...report, created: true }
  if (keepMs !== undefined || plan.wasEmpty)
    return { ...report, created: false, oldName, ...(keepUntil && { keepUntil }) }
  const warnings = await dropAside(target, oldName, ctx)
  return { ...report, created: false, warnings: [...report.warnings, ...warnings] }
}

/** Filling takes hours: an application, or another restore, may have begun to use the empty database. */
async function requireStillEmpty(target: Driver, ctx: RunContext): Promise<void> {
  const { database } = await target.probe(ctx)
  if (database && !database.empty) throw filledMeanwhile(target)
}

function filledMeanwhile({ display }: Driver): BackupError {
  return new BackupError('target-not-empty', {
    message: `${display} was empty when the restore began, and somebody has filled it meanwhile`,
    hint: 'It was not touched. Restore into another database, or again with mode staged, which keeps what is there.',
  })
}

/** The restore has succeeded by now: what cannot be dropped is no more than a warning. */
async function dropAside(target: Driver, name: string, ctx: RunContext): Promise<readonly string[]> {
  try {
    const asides = (await target.asides?.(ctx)) ?? []
    const old = asides.find((aside) => aside.name === name)
    if (!old) return [`What was there before became ${name}, which is not listed now: look whether it is still there`]
    await old.drop(ctx)
    return []
  } catch (error) {
    return [`What was there before is still there as ${name} and could not be dropped: ${messageOf(error)}`]
  }
}

function cannotSwap({ display }: Driver): BackupError {
  return new BackupError('restore-refused', {
    message: `The driver of ${display} cannot put a restored database in the place of another`,
  })
}
