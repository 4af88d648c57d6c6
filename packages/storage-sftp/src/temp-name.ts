import { createHash, randomBytes } from 'node:crypto'

/** What names of temp files look like; nothing else is ever swept, and no key may end so. */
const grammar = /^\.holdfast-tmp-[0-9a-f]{24}$/

/** A name that no other put uses. */
export function newTempName(): string {
  return `.holdfast-tmp-${randomBytes(12).toString('hex')}`
}

/** Whether a file of this name is an unfinished put of ours. */
export function isTempName(name: string): boolean {
  return grammar.test(name)
}

/**
 * Where an object waits while a newer one takes its name, on a server whose rename does not replace. The name tells
 * which object it is; the hash at its end, that it is none that somebody made up.
 *
 * @param path - A path or a key; the last name of it counts.
 */
export function asideOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return `${path}.holdfast-old-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`
}

/** The object that waits at a path or key of {@link asideOf}; `undefined` for any other. */
export function waitingAt(path: string): string | undefined {
  const end = path.lastIndexOf('.holdfast-old-')
  const object = path.slice(0, Math.max(end, 0))
  return object !== '' && asideOf(object) === path ? object : undefined
}
