import assert from 'node:assert/strict'
import type { BackupErrorCode } from '../../backup-error.js'
import { isBackupError } from '../../backup-error.js'
import type { Driver, DumpSession } from '../../driver/driver.js'
import type { RunContext } from '../../run-context.js'
import type { DriverCaseEnv } from './driver-case.js'
import { streamOfPart } from './memory-backup.js'

/** Rejects with a {@link BackupError} of that code. */
export async function assertRejectsWith(work: Promise<unknown>, code: BackupErrorCode): Promise<void> {
  const error = await rejectionOf(work)
  assert.ok(isBackupError(error, code), `expected ${code}, got ${error}`)
}

/** What a promise rejects with. */
export async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  assert.fail('it was expected to reject')
}

/** No program of the driver runs. Those of an ended call are gone when it settles, so nothing is waited for. */
export async function assertNoChildren({ children }: DriverCaseEnv): Promise<void> {
  assert.deepEqual((await children?.()) ?? [], [], 'programs of the driver still run')
}

/** Reads the parts of a dump to their end. */
export async function readParts(session: DumpSession): Promise<number> {
  let bytes = 0
  for await (const part of session.parts) for await (const chunk of streamOfPart(part)) bytes += chunk.byteLength
  return bytes
}

/** Starts a dump and calls `interrupt` when its first bytes have come; rejects with what the stream throws. */
export async function interruptedDump(driver: Driver, interrupt: () => Promise<void>, ctx: RunContext): Promise<void> {
  await using session = await driver.dump({}, ctx)
  session.done.catch(() => {})
  let interrupted = false
  for await (const part of session.parts) {
    for await (const _ of streamOfPart(part)) {
      if (interrupted) continue
      interrupted = true
      await interrupt()
    }
  }
}
