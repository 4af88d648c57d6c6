/** Backups that say what is usual. */
const looksBack = 5
/** Below this share of the usual size a backup is remarkable. */
const remarkable = 0.1

/** The median size of the last few backups; `undefined` where there are none. @param sizes - Bytes, newest first. */
export function usualSize(sizes: readonly number[]): number | undefined {
  const last = sizes.slice(0, looksBack).toSorted((a, b) => a - b)
  return last[Math.floor(last.length / 2)]
}

/** Whether a backup is over 90 % smaller than is usual: a table may have been lost, or the wrong database named. */
export function isShrunk(bytes: number, usual: number | undefined): usual is number {
  return usual !== undefined && bytes < usual * remarkable
}
