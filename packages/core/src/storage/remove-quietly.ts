import { messageOf } from '../backup-error.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from './storage.js'

/** Milliseconds that cleaning up after a failure may take. */
const patienceMs = 30_000

/**
 * Deletes objects after something has failed already. Goes on when the run was aborted, and only warns when a
 * delete fails: what is left is data without a manifest, which a later sweep collects.
 *
 * @returns Whether all of them are gone.
 */
export async function removeQuietly(storage: Storage, keys: readonly string[], ctx: RunContext): Promise<boolean> {
  let areGone = true
  const cleaning = { ...ctx, signal: AbortSignal.timeout(patienceMs) }
  for (const key of keys) {
    try {
      await storage.delete(key, cleaning)
    } catch (error) {
      areGone = false
      ctx.log.warn(`Could not remove ${key} from ${storage.name}: ${messageOf(error)}`)
    }
  }
  return areGone
}
