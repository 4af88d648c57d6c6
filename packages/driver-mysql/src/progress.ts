import { randomBytes } from 'node:crypto'
import { objectKey, type SchemaObject } from './statement-subject.js'

/**
 * How far a dump has come on its way into a database: what of it stands there by now. Whatever else stands there is of
 * others.
 */
export interface Progress {
  /** The server's lock that the client holds as long as the server works for it. */
  readonly lock: string
  /** Whether the dump, as far as it was passed on, has made it and not dropped it again, as it does with place-holders. */
  has(object: SchemaObject): boolean
  /** Notes a statement that makes or drops something. @returns What the client is to say when the server has done it. */
  note(verb: 'create' | 'drop', object: SchemaObject): string
  /** Reads a line that the client has said. */
  read(line: string): void
  /** Reads a line of its errors. */
  readError(line: string): void
  /** What the server has made, in that order. */
  readonly made: readonly SchemaObject[]
  /** What it was told to make next, where it is not known whether it still has. */
  readonly doubtful: SchemaObject | undefined
}

interface Step {
  readonly verb: 'create' | 'drop'
  readonly object: SchemaObject
}

/** Begins with nothing made. */
export function trackProgress(): Progress {
  const steps: Step[] = []
  const sent = new Set<string>()
  const mark = `holdfast ${randomBytes(8).toString('hex')} ` // no dump can know it, and say of more that it was made
  let done = 0
  let refused = false
  return {
    lock: `holdfast:${randomBytes(16).toString('hex')}`,
    has: (object) => sent.has(objectKey(object)),
    note(verb, object) {
      steps.push({ verb, object: { kind: object.kind, name: object.name } })
      if (verb === 'create') sent.add(objectKey(object))
      else sent.delete(objectKey(object))
      return `${mark}${steps.length}`
    },
    read(line) {
      const said = line.replaceAll('\0', '') // whatever character set the dump has asked for
      if (said.startsWith(mark)) done = Math.max(done, Number(said.slice(mark.length)))
    },
    readError(line) {
      if (isRefusal(line)) refused = true
    },
    get made() {
      const made = new Map<string, SchemaObject>()
      for (const { verb, object } of steps.slice(0, done)) {
        made.delete(objectKey(object))
        if (verb === 'create') made.set(objectKey(object), object)
      }
      return [...made.values()]
    },
    get doubtful() {
      const next = steps[done]
      return refused || next?.verb !== 'create' ? undefined : next.object
    },
  }
}

/** That a session or statement was ended, which says nothing of what had been done by then. */
const endings: ReadonlySet<number> = new Set([1053, 1317, 1927, 1969, 3024])

/** Whether the server has refused a statement, which has changed nothing then. Numbers from 2000 on are the client's own. */
function isRefusal(line: string): boolean {
  const number = Number(/^ERROR (\d+) \(/.exec(line)?.[1] ?? 2_000)
  return !endings.has(number) && (number < 2_000 || number > 2_999)
}
