import assert from 'node:assert/strict'
import type {
  Driver,
  Replaced,
  RestoreReport,
  RestoreRequest,
  RestoreSource,
  SwapOptions,
} from '../../driver/driver.js'
import type { RunContext } from '../../run-context.js'

/** Restores beside a database and swaps, as the engine does for a staged restore. For drivers that can. */
export async function restoreStaged(
  target: Driver,
  backup: RestoreSource,
  { keepUntil, ...request }: Omit<RestoreRequest, 'mode'> & Pick<SwapOptions, 'keepUntil'>,
  ctx: RunContext,
): Promise<RestoreReport & Replaced> {
  const { terminateConnections = false, noOwner = false, noPrivileges = false } = request
  const options = { manifest: backup.manifest, toSwap: true, terminateConnections, noOwner, noPrivileges }
  await using scratch = await target.scratch?.(options, ctx)
  assert.ok(scratch?.swap, 'the driver makes scratch databases that can be swapped in')
  const report = await scratch.driver.restore(backup, { ...request, mode: 'create' }, ctx)
  return { ...report, ...(await scratch.swap({ terminateConnections, ...(keepUntil && { keepUntil }) }, ctx)) }
}

/** The same, and what was there before is dropped. */
export async function restoreReplacing(
  target: Driver,
  backup: RestoreSource,
  request: Omit<RestoreRequest, 'mode'>,
  ctx: RunContext,
): Promise<RestoreReport> {
  const { oldName, ...report } = await restoreStaged(target, backup, request, ctx)
  const asides = (await target.asides?.(ctx)) ?? []
  await asides.find(({ name }) => name === oldName)?.drop(ctx)
  return report
}
