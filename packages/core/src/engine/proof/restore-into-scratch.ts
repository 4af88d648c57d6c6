import { isBackupError, messageOf } from '../../backup-error.js'
import type { Driver, RestoreSource } from '../../driver/driver.js'
import type { Manifest } from '../../layout/manifest.js'
import type { RunContext } from '../../run-context.js'
import type { Storage } from '../../storage/storage.js'
import { readThrough } from '../verify-backup.js'
import type { TestingDriver } from './testing-driver.js'

/** A backup that was restored into a scratch, or could not be. */
export interface Restoring {
  readonly scratch: AsyncDisposable & { readonly driver: Driver }
  readonly serverVersion: string
  readonly restoreMs: number
  readonly withOwners: boolean
  readonly notes: readonly string[]
  /** Why the backup could not be restored. */
  readonly problem?: string
}

/**
 * Restores a backup into a scratch database. The scratch is the caller's to drop; it is dropped here where this throws.
 *
 * @returns That the backup cannot be restored is a result.
 */
export async function restoreIntoScratch(
  { manifest, storage }: { readonly manifest: Manifest; readonly storage: Storage },
  on: TestingDriver,
  source: RestoreSource,
  ctx: RunContext,
): Promise<Restoring> {
  ctx.report({
    type: 'stage',
    stage: 'restore',
    detail: `${storage.name}, into a scratch database beside ${on.display}`,
  })
  const scratch = await on.scratch({ manifest, toSwap: false }, ctx)
  try {
    const { version: serverVersion } = await scratch.driver.probe(ctx)
    const started = ctx.clock.monotonic()
    const took = (): number => ctx.clock.monotonic() - started
    try {
      const notes = await restoreWithOwners(scratch.driver, source, ctx)
      return { scratch, serverVersion, restoreMs: took(), withOwners: notes.length === 0, notes }
    } catch (error) {
      ctx.signal.throwIfAborted()
      // What may go well another time (a connection was lost, a program killed) says nothing about the backup.
      if (!isBackupError(error, 'restore-failed') || error.retryable) throw error
      await readThrough(manifest, storage, ctx) // damage can make the client fail before hashes are compared
      return { scratch, serverVersion, restoreMs: took(), withOwners: true, notes: [], problem: messageOf(error) }
    }
  } catch (error) {
    await scratch[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Restores all there is; where the server refuses because of roles that it does not have, without owners and grants:
 * a server for tests need not know the roles of the one in earnest.
 *
 * @returns What was left out, for the notes.
 */
async function restoreWithOwners(driver: Driver, source: RestoreSource, ctx: RunContext): Promise<readonly string[]> {
  try {
    await driver.restore(source, { mode: 'create' }, ctx)
    return []
  } catch (error) {
    if (!isBackupError(error, 'restore-refused')) throw error
    try {
      await driver.restore(source, { mode: 'create', noOwner: true, noPrivileges: true }, ctx)
    } catch (second) {
      throw isBackupError(second, 'restore-refused') ? error : second
    }
    return [`Owners and grants were not restored, and are not compared: ${error.message}`]
  }
}
