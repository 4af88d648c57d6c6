import { BackupError } from '../backup-error.js'
import { copyBackup } from '../engine/copy-backup.js'
import { copyPin } from '../engine/copy-pin.js'
import { acquireLease } from '../engine/lease.js'
import { ensureIdentity } from '../engine/storage-identity.js'
import { uuidV7 } from '../uuid-v7.js'
import type { CallOptions, Scope } from './calls.js'
import { type Project, pick } from './project.js'

/** {@link Holdfast.copy}. */
export async function copyTo(
  { storages, catalog, inUse, contextOf, find, holders }: Project,
  selector: string,
  to: string,
  options: CallOptions & Scope,
): Promise<{ readonly copied: boolean }> {
  const ctx = contextOf(options)
  const target = pick(storages, to, 'storage')
  const backup = await find(selector, options, ctx)
  const [from] = holders(backup).filter((storage) => storage !== target)
  if (!from) {
    throw new BackupError('no-match', {
      message: `No other storage than ${to} holds ${backup.name}`,
      hint: 'A copy is made from another storage than the one it goes to: name another on either side.',
    })
  }
  using _reading = inUse.hold(backup.id)
  const there = backup.copies.find(({ storage }) => storage === to)
  if (there?.status === 'complete') return { copied: false }
  await ensureIdentity(target, catalog, ctx)
  await using lease = await acquireLease(target, backup.job, uuidV7(ctx.clock.now()), ctx)
  const leased = { ...ctx, signal: AbortSignal.any([ctx.signal, lease.lost]) }
  await copyBackup(backup.base, from, target, () => lease.check(), leased, there !== undefined)
  const pinnedOn = backup.copies.find(({ isPinned }) => isPinned)
  if (pinnedOn) await copyPin(backup.base, pick(storages, pinnedOn.storage, 'storage'), target, leased)
  return { copied: true }
}
