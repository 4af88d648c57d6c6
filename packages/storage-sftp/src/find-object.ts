import type { Stats } from 'ssh2'
import { lstatIfPresent } from './files.js'
import type { Session } from './session.js'
import { asideOf } from './temp-name.js'

/** What lies at the path of an object, or waits for a newer one to take its place. */
export interface FoundObject {
  /** Where it is now. */
  readonly path: string
  readonly stats: Stats
}

/** Looks for an object, at its own path and where it waits; `undefined` if it is nowhere. */
export async function findObject(
  call: Session['call'],
  path: string,
  signal?: AbortSignal,
): Promise<FoundObject | undefined> {
  const found = async (at: string): Promise<FoundObject | undefined> => {
    const stats = await lstatIfPresent(call, at, signal)
    return stats && { path: at, stats }
  }
  // The last look is for one that came to its path after the first, and was gone from the other before the second.
  return (await found(path)) ?? (await found(asideOf(path))) ?? (await found(path))
}

/** Whether an object has a path, or waits for it: in one round trip, for who asks the server once more by a rename. */
export async function isTaken(call: Session['call'], path: string, signal: AbortSignal): Promise<boolean> {
  const found = await Promise.all([path, asideOf(path)].map((at) => lstatIfPresent(call, at, signal)))
  return found.some((stats) => stats !== undefined)
}
