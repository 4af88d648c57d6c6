import {
  type ByteStream,
  type ObjectName,
  type PartFormat,
  type RestoreSource,
  type RunContext,
  requireTrailer,
} from '@holdfast/core'
import { dumpTrailer } from './dump-plan.js'
import { scanDump } from './dump-scanner.js'
import { sqlPart } from './fill.js'
import { subjectOf } from './statement-subject.js'

/** {@link Driver.contents} for MySQL and MariaDB. */
export async function contents(from: RestoreSource, ctx: RunContext): Promise<readonly ObjectName[]> {
  const found = new Map<string, ObjectName>()
  for await (const pieces of scanDump(from.open(sqlPart(from).name, ctx))) {
    for (const piece of pieces) {
      if (piece.kind !== 'statement') continue
      const subject = subjectOf(piece.sql)
      if (subject?.verb !== 'create') continue
      found.set(JSON.stringify([subject.kind, subject.name]), { kind: subject.kind, name: subject.name })
    }
  }
  return [...found.values()]
}

/** {@link Driver.check} for MySQL and MariaDB: reads a dump to its end, and looks for the words that it ends with. */
export async function check(part: PartFormat, body: ByteStream, _ctx: RunContext): Promise<void> {
  for await (const _ of requireTrailer(body, part.trailer ?? dumpTrailer));
}
