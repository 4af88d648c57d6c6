import { messageOf } from '../backup-error.js'
import { indexKeys } from '../layout/key-index.js'
import { safeName } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/** Backups that say what is usual. */
const looksBack = 5
/** Below this share of the usual size a backup is remarkable. */
const remarkable = 0.1

/** Median stored size of the job's last five backups on a storage, in bytes; `undefined` if there is none. */
export async function usualSize(job: string, storage: Storage, ctx: RunContext): Promise<number | undefined> {
  try {
    const copies = [...(await indexKeys(storage, `${safeName(job)}/`, ctx)).values()].filter(({ manifest }) => manifest)
    copies.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
    const sizes = copies.slice(0, looksBack).map(({ data }) => data.reduce((sum, { size }) => sum + size, 0))
    return sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)]
  } catch (error) {
    if (!ctx.signal.aborted) ctx.log.warn(`Earlier backups on ${storage.name} cannot be listed: ${messageOf(error)}`)
    return undefined
  }
}

/** A warning if a backup is over 90 % smaller than usual: a table may have been lost, or the wrong database named. */
export function shrinkWarning(storedBytes: number, usualBytes: number | undefined): string | undefined {
  if (usualBytes === undefined || storedBytes >= usualBytes * remarkable) return undefined
  return `This backup has ${storedBytes} bytes, the last ones had ${usualBytes}: was something deleted, or is this the wrong database?`
}
