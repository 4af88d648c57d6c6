import type { ByteStream } from '@holdfast/core'

/**
 * The same bytes, the last chunk only after the source has ended well: whoever needs every byte cannot finish on
 * those of a source that turns out damaged.
 */
export async function* holdBack(source: ByteStream): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue
    if (held) yield held
    held = Uint8Array.from(chunk) // the source may reuse its memory once it is asked for more
  }
  if (held) yield held
}

/** Reads to the end, for what the end says. */
export async function readThrough(source: ByteStream): Promise<void> {
  for await (const _ of source);
}
