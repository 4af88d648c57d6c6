import { readdirSync, readFileSync } from 'node:fs'

/**
 * Process ids of what this process has started and has not ended. For `children` of a driver's contract tests.
 * Linux only: elsewhere it finds none.
 */
export async function childProcesses(): Promise<readonly number[]> {
  return pidsOf('/proc').filter((pid) => parentOf(pid) === process.pid)
}

function pidsOf(directory: string): readonly number[] {
  try {
    return readdirSync(directory).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** The fourth field of `stat`, after the name in parentheses; one that has ended and waits to be reaped has none. */
function parentOf(pid: number): number | undefined {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}
