import { readAll, streamOf } from '../byte-stream.js'
import { pinKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/** A pin lies beside each copy: whoever looks at one storage alone sees it. */
export async function copyPin(base: string, from: Storage, to: Storage, ctx: RunContext): Promise<void> {
  await to.put(pinKey(base), streamOf(await readAll(from.get(pinKey(base), undefined, ctx))), {}, ctx)
}
