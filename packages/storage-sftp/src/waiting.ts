import { hasStatus, status } from './errors.js'
import { lstatIfPresent, moveFile, removeFile } from './files.js'
import type { Session } from './session.js'
import { asideOf, newTempName } from './temp-name.js'

/** Whether a rename was refused for its new name is taken; `failure` may mean other things as well. */
const isRefused = (error: unknown): boolean => hasStatus(error, status.failure, status.alreadyExists)

/**
 * An object makes way for a newer one, where readers look too. Where there is none, one may wait there already, since a
 * put was killed or because another one is under way.
 */
export async function stepAside(call: Session['call'], path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await moveFile(call, path, asideOf(path))
    } catch (error) {
      if (!(await lstatIfPresent(call, path))) return
      if (!isRefused(error) || attempt === 20) throw error
      await dropWaiting(call, path) // left by a put that was killed at its end
    }
  }
}

/**
 * Gives the object that waits its name again.
 *
 * @returns Whether the name was free. One that does not wait any more has it, or was replaced.
 */
export async function takePlace(call: Session['call'], path: string): Promise<boolean> {
  try {
    await moveFile(call, asideOf(path), path)
    return true
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return true
    if (isRefused(error) && (await lstatIfPresent(call, path))) return false
    throw error
  }
}

/**
 * Removes what waits for a path that is taken. Another put may have freed the path since, and what waits be the only
 * object there is: so it is taken away under a name of its own, which nobody else can do then, and comes back if the
 * path proves free.
 */
export async function dropWaiting(call: Session['call'], path: string): Promise<void> {
  const aside = asideOf(path)
  const taken = `${path.slice(0, path.lastIndexOf('/'))}/${newTempName()}`
  try {
    await moveFile(call, aside, taken)
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return
    throw error
  }
  if (!(await lstatIfPresent(call, path)) && (await comesBack(call, taken, aside))) return
  await removeFile(call, taken)
}

/** Whether the name was still free; else a newer object waits there. */
async function comesBack(call: Session['call'], taken: string, aside: string): Promise<boolean> {
  try {
    await moveFile(call, taken, aside)
    return true
  } catch (error) {
    if (isRefused(error)) return false
    throw error
  }
}
