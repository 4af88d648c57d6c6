import { isBackupError, messageOf } from '../../backup-error.js'
import type { RunContext } from '../../run-context.js'
import type { Verification } from '../verification.js'
import { remember, requireStillThere } from '../verify-backup.js'
import { runTestRestore, type TestRestorePlan } from './test-restore.js'

/**
 * Verifies one copy by restoring it for a test, and writes what was found beside the manifest.
 *
 * @param base - What the keys of the backup begin with.
 * @returns Damage of the copy is a result; it has no `test` then.
 * @throws As {@link runTestRestore}, save for damage; `not-found` for a copy that was deleted meanwhile.
 */
export async function testCopy(plan: TestRestorePlan, base: string, ctx: RunContext): Promise<Verification> {
  const found = await verification(plan, ctx)
  if (found.status === 'corrupt') await requireStillThere(base, plan.storage, ctx)
  await remember(plan.storage, base, found, ctx)
  return found
}

async function verification(plan: TestRestorePlan, ctx: RunContext): Promise<Verification> {
  const { id } = plan.manifest
  try {
    const { test, parts } = await runTestRestore(plan, ctx)
    return { id, verifiedAt: ctx.clock.now().toISOString(), status: 'intact', parts, test }
  } catch (error) {
    if (!isBackupError(error, 'corrupt') && !isBackupError(error, 'not-found')) throw error
    return { id, verifiedAt: ctx.clock.now().toISOString(), status: 'corrupt', problem: messageOf(error), parts: [] }
  }
}
