import { messageOf } from '../backup-error.js'
import { indexKeys } from '../layout/key-index.js'
import { safeName } from '../layout/object-names.js'
import { isShrunk, usualSize } from '../retention/usual-size.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/** Names of data that age or gpg has encrypted. */
const isCiphertext = /\.(age|gpg)$/

/** What a listing of a storage tells of the earlier backups of a job. */
export interface EarlierBackups {
  /** Median stored size of the last five, in bytes. */
  readonly usualBytes?: number
  /** When the newest was begun, by the clock of the host that made it. */
  readonly newest?: Date
  /** Whether that one is encrypted. */
  readonly isEncrypted?: boolean
}

/** Looks for earlier backups of a job on a storage; what cannot be listed tells nothing. */
export async function earlierBackups(job: string, storage: Storage, ctx: RunContext): Promise<EarlierBackups> {
  try {
    const copies = [...(await indexKeys(storage, `${safeName(job)}/`, ctx)).values()].filter(({ manifest }) => manifest)
    copies.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
    const usualBytes = usualSize(copies.map(({ data }) => data.reduce((sum, { size }) => sum + size, 0)))
    const [newest] = copies
    if (usualBytes === undefined || newest === undefined) return {}
    return { usualBytes, newest: newest.startedAt, isEncrypted: newest.data.some(({ key }) => isCiphertext.test(key)) }
  } catch (error) {
    if (!ctx.signal.aborted) ctx.log.warn(`Earlier backups on ${storage.name} cannot be listed: ${messageOf(error)}`)
    return {}
  }
}

/** A warning if a backup is over 90 % smaller than usual: a table may have been lost, or the wrong database named. */
export function shrinkWarning(storedBytes: number, usualBytes: number | undefined): string | undefined {
  if (!isShrunk(storedBytes, usualBytes)) return undefined
  return `This backup has ${storedBytes} bytes, the last ones had ${usualBytes}: was something deleted, or is this the wrong database?`
}

/** A warning if the clock stands before an earlier backup: whoever restores the latest would get that one. */
export function clockWarning(startedAt: Date, newest: Date | undefined): string | undefined {
  if (newest === undefined || newest.getTime() - startedAt.getTime() < 1_000) return undefined // names hold seconds
  return `There is a backup of ${newest.toISOString()}, which is later by the clock of this host: "latest" goes on to mean that one. Was its clock wrong, or is this one? Until then, restore this backup by its id`
}

/** A warning if a backup lies in plain where the one before is encrypted: a variable may have been forgotten. */
export function plainWarning(isPlain: boolean, wasEncrypted: boolean | undefined): string | undefined {
  if (!isPlain || !wasEncrypted) return undefined
  return 'This backup is not encrypted, and the one before it is: was a setting or a variable of the encryption forgotten?'
}
