import { constants, type Stats } from 'node:fs'

/**
 * Why a config file is not to be run that was found on the way up, where everybody may write to some directories, such
 * as `/tmp`, and anybody can have put one.
 *
 * @param seen - The file, and the link that leads to it.
 * @param trusted - Users whose files are run.
 * @returns `undefined` where nothing speaks against it.
 */
export function distrust(seen: readonly Pick<Stats, 'uid' | 'mode'>[], trusted: readonly number[]): string | undefined {
  const stranger = seen.find(({ uid }) => !trusted.includes(uid))
  if (stranger) return `it is of another user (${stranger.uid})`
  return seen.some(isWritableByAll) ? 'everybody may write to it' : undefined
}

/** Every link is, by its mode. */
function isWritableByAll({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & constants.S_IFMT) !== constants.S_IFLNK && (mode & constants.S_IWOTH) !== 0
}
