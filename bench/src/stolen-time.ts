import { readFileSync } from 'node:fs'

/**
 * Starts to count processor time that the host of a virtual machine gave to others while this one wanted it. The
 * function that it returns tells its share of the time that was wanted, between 0 and 1.
 */
export function countStolenTime(): () => number {
  const before = processorTime()
  return () => {
    const after = processorTime()
    const stolen = after.stolen - before.stolen
    const wanted = after.busy - before.busy + stolen
    return wanted === 0 ? 0 : stolen / wanted
  }
}

/** Since the machine started, in ticks of the kernel's clock; see proc_stat(5). */
function processorTime(): { readonly busy: number; readonly stolen: number } {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/\s+/) ?? []
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = ticks.map(Number)
  return { busy: user + nice + system + interrupts + softInterrupts, stolen }
}
