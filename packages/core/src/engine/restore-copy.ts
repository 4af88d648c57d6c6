import type { Cipher } from '../cipher/cipher.js'
import type { RestoreSource } from '../driver/driver.js'
import type { Layout } from '../layout/layout.js'
import type { Manifest } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { readThrough } from './verify-backup.js'

/** One place from which a backup can be restored. */
export interface RestoreCopy {
  /** Name of the storage. */
  readonly name: string
  readonly source: RestoreSource
  /** Reads what is stored to its end, before something irreversible rests on it; throws `corrupt` for damage. */
  readThrough(ctx: RunContext): Promise<void>
}

/** The copy of a backup on a storage. */
export function copyOn(
  storage: Storage,
  manifest: Manifest,
  { layout, cipher }: { readonly layout: Layout; readonly cipher?: Cipher | undefined },
): RestoreCopy {
  return {
    name: storage.name,
    source: layout.read(manifest, { storage, ...(cipher && { cipher }) }),
    readThrough: (ctx) => readThrough(manifest, storage, ctx),
  }
}
