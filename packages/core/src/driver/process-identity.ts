import { readFileSync, readlinkSync } from 'node:fs'

/** The process namespace: within one of a machine, an id means one process. Empty where the system does not tell. */
export function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/**
 * When a process started, in clock ticks since the system did: ids are given out again. 0 where the system does not
 * tell.
 *
 * @see proc_pid_stat(5), field 22
 */
export function startTicks(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program stands in parentheses, and may hold some itself.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 0)
  } catch {
    return 0
  }
}

/** Whether there is a process of that id. One of another user is one, too. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
