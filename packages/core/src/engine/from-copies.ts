import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { RunContext } from '../run-context.js'
import type { RestoreCopy } from './restore-copy.js'

/**
 * Does something with the first copy that is whole: where one turns out to be damaged or out of reach, the next is
 * tried.
 *
 * @param say - Told what is wrong with a copy that cannot be used. Default: the log.
 * @throws what is not the copies' fault at once; else what was wrong with the last of them.
 */
export async function fromCopies<Result>(
  copies: readonly RestoreCopy[],
  use: (copy: RestoreCopy) => Promise<Result>,
  ctx: RunContext,
  say: (warning: string) => void = (warning) => ctx.log.warn(warning),
): Promise<Result> {
  const failures: { readonly name: string; readonly error: unknown }[] = []
  /** What is wrong with other copies than the one whose error is thrown; that error says it, and once is enough. */
  const warn = (except?: unknown): void => {
    for (const { name, error } of failures) {
      if (except !== undefined && messageOf(error) === messageOf(except)) continue
      say(`The copy on ${name} cannot be used: ${messageOf(error)}`)
    }
  }
  for (const copy of copies) {
    try {
      const result = await use(copy)
      warn()
      return result
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (!isTheCopysFault(error)) throw error
      ctx.report({ type: 'copy', storage: copy.name, status: 'failed', message: messageOf(error) })
      failures.push({ name: copy.name, error })
    }
  }
  const last = failures.at(-1)?.error ?? new BackupError('not-found', { message: 'No storage holds this backup' })
  warn(last)
  throw last
}

/** A wrong key may be the right one, on a copy whose beginning is damaged. */
function isTheCopysFault(error: unknown): boolean {
  const codes = ['corrupt', 'not-found', 'unavailable', 'storage-denied', 'wrong-key'] as const
  return codes.some((code) => isBackupError(error, code))
}

/** Runs a restore from a copy. Damage can make the client fail before the stream has come to where hashes are compared. */
export async function blamingDamage<Result>(
  copy: RestoreCopy,
  restore: () => Promise<Result>,
  ctx: RunContext,
): Promise<Result> {
  try {
    return await restore()
  } catch (error) {
    ctx.signal.throwIfAborted()
    throw isBackupError(error, 'restore-failed') ? ((await damageOf(copy, ctx)) ?? error) : error
  }
}

async function damageOf(copy: RestoreCopy, ctx: RunContext): Promise<unknown> {
  try {
    await copy.readThrough(ctx)
    return undefined
  } catch (error) {
    return isBackupError(error, 'corrupt') ? error : undefined
  }
}
