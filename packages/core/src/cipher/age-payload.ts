import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { coalesce } from '../stream/coalesce.js'
import { giveBack, lend } from '../stream/lent-block.js'
import { damagedAge } from './age-errors.js'

/*
 * The payload of an age file (https://age-encryption.org/v1): chunks of 64 KiB, each sealed with ChaCha20-Poly1305
 * under a counter, the last one with a flag. By node:crypto, which is ten times as fast as what JavaScript can do.
 */

/** Bytes of the random value before the payload, from which with the file key its key is made. */
export const payloadNonceBytes = 16

const chunkBytes = 64 * 1024
const tagBytes = 16
const sealedChunkBytes = chunkBytes + tagBytes

/** Chunks that are worked on together, so that what follows is called seldom. */
const batch = MiB / 4 / chunkBytes

/** @param nonce - The {@link payloadNonceBytes} before the payload. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
}

/**
 * Seals a stream. What could be the last chunk is withheld until the source has ended normally: without it nothing
 * that was written so far decrypts as whole.
 */
export async function* sealPayload(plain: ByteStream, key: Buffer, ctx: RunContext): AsyncGenerator<Uint8Array> {
  const gathered = Buffer.allocUnsafe(batch * chunkBytes)
  const free: Buffer[] = []
  let filled = 0
  let counter = 0
  for await (const block of plain) {
    for (let at = 0; at < block.byteLength; ) {
      if (filled === gathered.length) {
        ctx.signal.throwIfAborted()
        const sealed = free.pop() ?? Buffer.allocUnsafe(batch * sealedChunkBytes)
        counter += sealChunks(sealed, gathered, key, counter, false)
        yield lend(sealed, (returned) => free.push(returned))
        filled = 0
      }
      const taken = block.subarray(at, at + gathered.length - filled)
      gathered.set(taken, filled)
      filled += taken.byteLength
      at += taken.byteLength
    }
    giveBack(block)
  }
  ctx.signal.throwIfAborted()
  const rest = gathered.subarray(0, filled)
  const chunks = Math.max(1, Math.ceil(filled / chunkBytes))
  const sealed = Buffer.allocUnsafe(filled + chunks * tagBytes)
  sealChunks(sealed, rest, key, counter, true)
  yield sealed
}

/** @returns How many chunks it were: one at least, which is the last one of all where the end has come. */
function sealChunks(target: Buffer, plain: Buffer, key: Buffer, counter: number, isEnd: boolean): number {
  const chunks = Math.max(1, Math.ceil(plain.length / chunkBytes))
  let end = 0
  for (let index = 0; index < chunks; index++) {
    const chunk = plain.subarray(index * chunkBytes, (index + 1) * chunkBytes)
    end += sealInto(target.subarray(end), chunk, key, counter + index, isEnd && index === chunks - 1)
  }
  return chunks
}

/**
 * Opens what {@link sealPayload} made. Ends only behind the chunk with the flag of the last one, and only if nothing
 * follows it.
 *
 * @throws {BackupError} `corrupt`. No byte of a chunk that was changed is ever yielded.
 */
export async function* openPayload(sealed: ByteStream, key: Buffer, ctx: RunContext): AsyncGenerator<Uint8Array> {
  let counter = 0
  for await (const { chunks, isEnd } of inChunks(sealed, sealedChunkBytes)) {
    ctx.signal.throwIfAborted()
    if (chunks.some((chunk) => chunk.length < tagBytes)) throw damagedAge('it ends early')
    const plain = Buffer.allocUnsafe(chunks.reduce((sum, chunk) => sum + chunk.length - tagBytes, 0))
    if (isEnd && plain.length === 0 && counter > 0) throw damagedAge('its last chunk is empty')
    let end = 0
    chunks.forEach((chunk, index) => {
      end += openInto(plain.subarray(end), chunk, key, counter + index, isEnd)
    })
    counter += chunks.length
    if (plain.length > 0) yield plain
  }
}

/** Chunks that are worked on together. `isEnd` comes with the one last chunk, which alone may be shorter, also empty. */
interface Batch {
  readonly chunks: readonly Uint8Array[]
  readonly isEnd: boolean
}

/** Cuts a stream into chunks. One byte at least is held back until the source has ended: it may be in the last chunk. */
async function* inChunks(source: ByteStream, size: number): AsyncGenerator<Batch> {
  let held: Uint8Array = new Uint8Array()
  for await (const block of coalesce(source, MiB)) {
    const chunks: Uint8Array[] = []
    let at = 0
    while (held.length + block.length - at > size) {
      const next = at + size - held.length
      chunks.push(held.length === 0 ? block.subarray(at, next) : Buffer.concat([held, block.subarray(at, next)]))
      held = new Uint8Array()
      at = next
    }
    held = held.length === 0 ? block.subarray(at) : Buffer.concat([held, block.subarray(at)])
    for (let first = 0; first < chunks.length; first += batch) {
      yield { chunks: chunks.slice(first, first + batch), isEnd: false }
    }
  }
  yield { chunks: [held], isEnd: true }
}

/** @returns Bytes written. */
function sealInto(target: Buffer, plain: Uint8Array, key: Buffer, counter: number, isLast: boolean): number {
  const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce(counter, isLast), { authTagLength: tagBytes })
  moveInto(target, cipher.update(plain))
  cipher.final()
  target.set(cipher.getAuthTag(), plain.length)
  return plain.length + tagBytes
}

/** @returns Bytes written. */
function openInto(target: Buffer, sealed: Uint8Array, key: Buffer, counter: number, isLast: boolean): number {
  const nonce = chunkNonce(counter, isLast)
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  moveInto(target, decipher.update(sealed.subarray(0, -tagBytes)))
  try {
    decipher.final()
  } catch {
    throw damagedAge(`chunk ${counter + 1} was changed, or bytes before it are missing or too many`)
  }
  return sealed.length - tagBytes
}

/**
 * Copies what a cipher returned, and frees it: to V8 it is a small object, of which it lets 64 MB lie before it collects
 * for the first time.
 */
function moveInto(target: Buffer, made: Buffer<ArrayBuffer>): void {
  target.set(made)
  if (made.byteLength === made.buffer.byteLength) made.buffer.transfer(0)
}

/** Eleven bytes of counter, one that tells the last chunk. */
function chunkNonce(counter: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}
