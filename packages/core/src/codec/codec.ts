import type { ByteStream } from '../byte-stream.js'
import type { ChildOutput } from '../driver/child-output.js'
import type { RunContext } from '../run-context.js'

/** A compression, both ways. */
export interface Codec {
  /** Name in the manifest: `zstd`, `gzip`, `none`. Never renamed. */
  readonly id: string
  /** Appended to keys with its dot, for example `.zst`; empty for `none`. */
  readonly extension: string
  /** Shell filter that decompresses, for example `zstd -dc`; `undefined` for `none`. */
  readonly decompressCommand: string | undefined
  compress(plain: ByteStream, ctx: RunContext): ByteStream
  /** @throws {BackupError} `corrupt` when the data are damaged, end early, or go on after their end. */
  decompress(compressed: ByteStream, ctx: RunContext): ByteStream
  /**
   * Compresses the output of a program that has not been started, by descriptor. Present where the compressing
   * program is installed. The stream ends when the compressor has exited cleanly; whether the *dump* did is
   * `from.done`, which the layout awaits before the end.
   */
  compressProcess?(from: ChildOutput, ctx: RunContext): ByteStream
}
