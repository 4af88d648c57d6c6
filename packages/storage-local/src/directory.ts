import { constants } from 'node:fs'
import { chmod, mkdir, open } from 'node:fs/promises'
import { hasCode } from './storage-error.js'

/** Makes a directory with mode 0700, whatever the umask. @returns Whether it was made; `false` if the name is taken. */
export async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
  await chmod(path, 0o700)
  return true
}

/**
 * Makes the names in a directory durable (`fsync(2)`: syncing a file does not sync the entry that leads to it).
 * A directory that is gone has nothing to be kept, and some network file systems cannot sync one.
 */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EINVAL', 'ENOTSUP')) throw error
  }
}
