import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'

/** An authenticated, truncation-proof encryption. */
export interface Cipher {
  /** Name in the manifest: `age`, `gpg`. Never renamed. */
  readonly id: string
  /** Appended to keys with its dot, for example `.age`. */
  readonly extension: string
  /** Shell filter that decrypts, for example `age -d -i key.txt`. */
  readonly decryptCommand: string
  /** What the recipients are called, for the manifest. No secrets. */
  readonly keyIds: readonly string[]
  /** Whether this host holds a key that reads. Without one it can back up, verify stored bytes, and never read. */
  readonly canDecrypt: boolean
  encrypt(plain: ByteStream, ctx: RunContext): ByteStream
  /** @throws {BackupError} `wrong-key` before the first byte; `corrupt` for damage, truncation or reordering. */
  decrypt(encrypted: ByteStream, ctx: RunContext): ByteStream
}
