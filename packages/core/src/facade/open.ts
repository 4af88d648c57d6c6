import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { BackupRecord } from '../engine/backup-record.js'
import type { InUse } from '../engine/in-use.js'
import { plainBytes, storedBytes } from '../layout/read-part.js'
import type { CallOptions, OpenedPart, Scope } from './calls.js'
import type { Project } from './project.js'

/** {@link Holdfast.open}. */
export async function openParts(
  { cipherFor, contextOf, find, holders, inUse }: Project,
  selector: string,
  options: Scope & CallOptions & { readonly content?: 'stored' | 'plain' },
): Promise<{ readonly backup: BackupRecord; readonly parts: readonly OpenedPart[] }> {
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx)
  const [from] = holders(backup)
  if (!from) throw new BackupError('no-match', { message: `No storage holds ${backup.name}` })
  const parts = backup.manifest.parts.map((part) => {
    const stored = storedBytes(part, from, 'restore', ctx)
    if (options.content !== 'plain')
      return { part, fileName: fileNameOf(part.key), stream: held(stored, backup, inUse) }
    const { stream } = plainBytes(part, stored, cipherFor(backup), ctx)
    return { part, fileName: `${backup.name}.${part.name}`, stream: held(stream, backup, inUse) }
  })
  return { backup, parts }
}

/** Retention leaves a backup alone while somebody reads it. */
async function* held(stream: ByteStream, { id }: BackupRecord, inUse: InUse): AsyncGenerator<Uint8Array> {
  using _reading = inUse.hold(id)
  yield* stream
}

function fileNameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
