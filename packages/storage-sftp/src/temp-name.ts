import { randomBytes } from 'node:crypto'

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
