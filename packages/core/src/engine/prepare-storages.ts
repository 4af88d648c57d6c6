import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { Catalog } from '../catalog/catalog.js'
import type { CopyOutcome } from '../layout/layout.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { Job } from './job.js'
import { acquireLease, type Lease } from './lease.js'
import { ensureIdentity } from './storage-identity.js'

/** The storages of a job, each leased and ready, or failed already. Disposing lets go of the leases. */
export interface PreparedStorages extends AsyncDisposable {
  readonly leases: ReadonlyMap<string, Lease>
  /** `complete` here means: ready to be written. */
  readonly copies: readonly CopyOutcome[]
  /** Aborts when another run has taken over on some storage, or when no lease is left: the run has to end. */
  readonly lost: AbortSignal
}

/**
 * Checks identity and takes the lease on each storage. One that cannot be used makes a failed copy, not a failed run,
 * as long as `minCopies` others can.
 *
 * @throws {BackupError} `busy` when another run of the job holds a lease; `too-few-copies`.
 */
export async function prepareStorages(
  job: Job,
  run: string,
  catalog: Catalog,
  ctx: RunContext,
): Promise<PreparedStorages> {
  const leases = new Map<string, Lease>()
  const release = async (): Promise<void> => {
    await Promise.all([...leases.values()].map((lease) => lease[Symbol.asyncDispose]()))
  }
  try {
    const copies = await Promise.all(job.storages.map((storage) => prepare(storage, job, run, catalog, leases, ctx)))
    requireReady(copies, job)
    return { leases, copies, lost: lossOf([...leases.values()]), [Symbol.asyncDispose]: release }
  } catch (error) {
    await release()
    throw error
  }
}

/** A lease that one storage could not keep alive costs its copy alone, at the commit. */
function lossOf(leases: readonly Lease[]): AbortSignal {
  const losing = new AbortController()
  for (const { lost } of leases) {
    lost.addEventListener('abort', () => {
      const isTakenOver = isBackupError(lost.reason) && lost.reason.cause === undefined
      if (isTakenOver || leases.every((lease) => lease.lost.aborted)) losing.abort(lost.reason)
    })
  }
  return losing.signal
}

async function prepare(
  storage: Storage,
  job: Job,
  run: string,
  catalog: Catalog,
  leases: Map<string, Lease>,
  ctx: RunContext,
): Promise<CopyOutcome> {
  try {
    await ensureIdentity(storage, catalog, ctx)
    leases.set(storage.name, await acquireLease(storage, job.name, run, ctx))
    return { storage, status: 'complete' }
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (isBackupError(error, 'busy')) return { storage, status: 'failed', error }
    const message = messageOf(error)
    ctx.log.warn(`Storage ${storage.name} cannot be used: ${message}`)
    ctx.report({ type: 'copy', storage: storage.name, status: 'failed', message })
    return { storage, status: 'failed', error }
  }
}

function requireReady(copies: readonly CopyOutcome[], job: Job): void {
  const failed = copies.filter((copy) => copy.status === 'failed')
  const other = failed.find(({ error }) => isBackupError(error, 'busy'))
  if (other) throw other.error
  const ready = copies.length - failed.length
  if (ready >= job.minCopies) return
  const [first] = failed
  if (failed.length === 1 && first) throw first.error // its own message says more
  throw new BackupError('too-few-copies', {
    message: `${ready} of at least ${job.minCopies} storages of ${job.name} can be written: ${failed.map(({ storage, error }) => `${storage.name}: ${messageOf(error)}`).join('; ')}`,
    hint: 'Nothing was dumped. Run `holdfast storage check` against each of them.',
    retryable: failed.some(({ error }) => isBackupError(error) && error.retryable),
    cause: first?.error,
  })
}
