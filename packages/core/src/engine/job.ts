import type { Cipher } from '../cipher/cipher.js'
import type { Codec } from '../codec/codec.js'
import type { Driver, DumpRequest } from '../driver/driver.js'
import type { RetentionStrategy } from '../retention/retention-strategy.js'
import type { Storage } from '../storage/storage.js'
import type { VerifySettings } from './proof/verify-settings.js'

/** A job with everything resolved: what the engine runs. */
export interface Job {
  readonly name: string
  readonly source: Driver
  readonly storages: readonly Storage[]
  readonly minCopies: number
  readonly codec: Codec
  readonly cipher?: Cipher
  readonly dump: DumpRequest
  readonly verify?: VerifySettings
  /** What stays on which storage, by its name. Everything stays on those that are not in it. */
  readonly retention: ReadonlyMap<string, RetentionStrategy>
  /** Complete backups that stay on each storage, whatever the retention says. */
  readonly minKeep: number
  /** Milliseconds for which a copy may accept no byte before it is given up. */
  readonly stallTimeoutMs: number
}
