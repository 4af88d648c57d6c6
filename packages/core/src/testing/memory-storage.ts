import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { checkKey } from '../storage/object-key.js'
import type { ByteRange, Storage, StoredObject } from '../storage/storage.js'
import { withBody } from '../storage/with-body.js'

/**
 * A storage that keeps its objects in memory, for tests. It keeps the whole contract, except that what is put stays
 * in memory; times are those of the context's clock.
 *
 * @param options.name - Default `memory`.
 */
export function memoryStorage(options: { readonly name?: string } = {}): Storage {
  const objects = new Map<string, { readonly bytes: Buffer; readonly modifiedAt: Date }>()

  const describe = (key: string): StoredObject | undefined => {
    const object = objects.get(key)
    return object && { key, size: object.bytes.byteLength, modifiedAt: object.modifiedAt }
  }

  async function* read(key: string, range: ByteRange | undefined, { signal }: RunContext): ByteStream {
    checkKey(key)
    signal.throwIfAborted()
    const object = objects.get(key)
    if (!object) throw new BackupError('not-found', { message: `There is no object ${key} in memory` })
    const wanted = object.bytes.subarray(range?.start, range?.end === undefined ? undefined : range.end + 1)
    for (let at = 0; at < wanted.byteLength; at += MiB) {
      yield wanted.subarray(at, at + MiB)
      signal.throwIfAborted()
    }
  }

  return {
    name: options.name ?? 'memory',
    display: 'memory',
    isLocal: true,

    put: (key, body, { ifAbsent }, ctx) =>
      withBody(body, ctx.signal, async (chunks) => {
        checkKey(key)
        const collected: Uint8Array[] = []
        for await (const chunk of chunks) collected.push(chunk)
        if (ifAbsent && objects.has(key)) {
          throw new BackupError('already-exists', { message: `There is already an object ${key} in memory` })
        }
        const stored = { bytes: Buffer.concat(collected), modifiedAt: ctx.clock.now() }
        objects.set(key, stored)
        return { key, size: stored.bytes.byteLength, modifiedAt: stored.modifiedAt }
      }),

    get: read,

    async stat(key, { signal }) {
      checkKey(key)
      signal.throwIfAborted()
      return describe(key)
    },

    async *list(prefix, { signal }) {
      signal.throwIfAborted()
      for (const key of [...objects.keys()].filter((key) => key.startsWith(prefix))) {
        const object = describe(key)
        if (object) yield object
        signal.throwIfAborted()
      }
    },

    async delete(key, { signal }) {
      checkKey(key)
      signal.throwIfAborted()
      objects.delete(key)
    },
  }
}
