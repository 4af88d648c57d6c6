import type { ByteStream } from '../byte-stream.js'

/**
 * Cuts a zstd stream at the ends of its frames: no chunk holds bytes of two frames.
 *
 * Node's decoder ignores what follows a frame in the same chunk, so a file of several frames (of pzstd, or of
 * `cat a.zst b.zst`) would come out short, silently. Frames are followed here by their headers (RFC 8878, section 3)
 * without being decoded.
 *
 * @param damaged - Makes the error for a stream that is none, or has no end.
 */
export async function* cutAtFrames(source: ByteStream, damaged: (reason: string) => Error): AsyncGenerator<Uint8Array> {
  const grammar = zstdStream(damaged)
  const header = Buffer.alloc(maxHeaderBytes)
  let step = grammar.next().value
  let done = 0 // bytes of the step so far
  let isEmpty = true

  for await (const chunk of source) {
    let start = 0
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + step.bytes - done)
      if (step.kind !== 'skip') header.set(part, done)
      at += part.byteLength
      done += part.byteLength
      if (done < step.bytes) continue
      step = grammar.next(header.subarray(0, step.kind === 'skip' ? 0 : done)).value
      done = 0
      if (step.kind !== 'begin') continue
      yield chunk.subarray(start, at)
      start = at
    }
    if (start < chunk.byteLength) yield chunk.subarray(start)
    isEmpty &&= chunk.byteLength === 0
  }
  if (isEmpty) throw damaged('they are empty')
  if (step.kind !== 'begin' || done > 0) throw damaged('they end in the middle of a frame')
}

/** What comes next: a header to look at (`begin` is the first of a frame), or bytes to leave alone. Never 0 bytes. */
interface Step {
  readonly kind: 'begin' | 'look' | 'skip'
  readonly bytes: number
}

const maxHeaderBytes = 16
const begin: Step = { kind: 'begin', bytes: 4 }
const look = (bytes: number): Step => ({ kind: 'look', bytes })

function* zstdStream(damaged: (reason: string) => Error): Generator<Step, never, Buffer> {
  for (;;) {
    const magic = (yield begin).readUInt32LE()
    if (magic === frameMagic) yield* frame(damaged)
    else if (magic >>> 4 === skippableMagic) yield* skip((yield look(4)).readUInt32LE())
    else throw damaged('they are not zstd, or something follows their end')
  }
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a5 // the last digit is free

function* frame(damaged: (reason: string) => Error): Generator<Step, void, Buffer> {
  const descriptor = (yield look(1)).readUInt8()
  const hasChecksum = (descriptor & 0b100) !== 0
  yield* skip(headerRest(descriptor))
  for (let last = false; !last; ) {
    const block = (yield look(3)).readUIntLE(0, 3)
    const type = (block >>> 1) & 0b11
    if (type === 3) throw damaged('a block is of no known type')
    last = (block & 1) === 1
    yield* skip(type === 1 ? 1 : block >>> 3) // type 1 is one byte, repeated
  }
  if (hasChecksum) yield* skip(4)
}

/** Bytes of the frame header after its descriptor: window, dictionary id (0, 1, 2, 4), content size (0 or 1, 2, 4, 8). */
function headerRest(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const sizeFlag = descriptor >>> 6
  const dictionary = (1 << (descriptor & 0b11)) >>> 1
  const contentSize = sizeFlag === 0 && !isSingleSegment ? 0 : 1 << sizeFlag
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize
}

function* skip(bytes: number): Generator<Step, void, Buffer> {
  if (bytes > 0) yield { kind: 'skip', bytes }
}
