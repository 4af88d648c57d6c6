import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { processExists, processNamespace, startTicks } from './process-identity.js'

const form = /^holdfast-(.+)-[A-Za-z0-9]{6}$/
const markForm = /^([0-9a-f]{8})-(\d+)-(\d+)$/

/** How the name of a private directory of this process begins. */
export function ownPrefix(): string {
  return `holdfast-${processMark()}-`
}

/**
 * This process in a word, to be left beside what it works on: where it runs, its id, and when it started. Ids are
 * given out again, and mean something else on another machine or in another container that shares the disk.
 */
export function processMark(): string {
  return `${place()}-${process.pid}-${startTicks(process.pid)}`
}

/**
 * Whether the process of a {@link processMark} still runs. `unknown` for one on another machine or in another
 * container, where nobody can look from here, and for what is no such mark.
 */
export function processState(mark: string): 'alive' | 'gone' | 'unknown' {
  const [, where, pid, start] = markForm.exec(mark) ?? []
  if (where === undefined || where !== place()) return 'unknown'
  return isAlive(Number(pid), Number(start)) ? 'alive' : 'gone'
}

/**
 * Removes private directories in `parent` that this user's processes left when they were killed. Those of live
 * processes, of other users and of other machines stay.
 */
export function sweepOrphans(parent: string): void {
  for (const name of namesIn(parent)) {
    const [, mark] = form.exec(name) ?? []
    if (mark === undefined || processState(mark) !== 'gone') continue
    const path = join(parent, name)
    if (isOwnDirectory(path)) attempt(() => rmSync(path, { recursive: true, force: true }))
  }
}

function namesIn(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory)) ?? []
}

function isOwnDirectory(path: string): boolean {
  const stats = attempt(() => lstatSync(path))
  return stats?.isDirectory() === true && stats.uid === process.getuid?.()
}

function place(): string {
  return createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8)
}

/** In doubt yes: to remove what a live process needs is worse than to leave what nobody does. */
function isAlive(pid: number, start: number): boolean {
  return processExists(pid) && [start, 0].includes(startTicks(pid))
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
