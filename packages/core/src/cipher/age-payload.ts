import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { coalesce } from '../stream/coalesce.js'
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

/** Chunks that are worked on at once, so that what follows is called seldom. */
const batch = MiB / chunkBytes

/** @param nonce - The {@link payloadNonceBytes} before the payload. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
}

/**
 * Seals a stream. What could be the last chunk is withheld until the source has ended normally: without it nothing
 * that was written so far decrypts as whole.
 */
export async function* sealPayload(plain: ByteStream, key: Buffer, ctx: RunContext): AsyncGenerator<Uint8Array> {
  let counter = 0
  let held: Buffer = Buffer.alloc(0)
  for await (const block of coalesce(plain, MiB)) {
    ctx.signal.throwIfAborted()
    const data = held.length === 0 ? asBuffer(block) : Buffer.concat([held, block])
    const whole = chunksBefore(data.length - 1, chunkBytes)
    for (let first = 0; first < whole; first += batch) {
      const count = Math.min(batch, whole - first)
      yield sealChunks(data.subarray(first * chunkBytes, (first + count) * chunkBytes), key, counter)
      counter += count
    }
    held = data.subarray(whole * chunkBytes)
  }
  yield sealChunk(held, key, counter, true)
}

/**
 * Opens what {@link sealPayload} made. Ends only behind the chunk with the flag of the last one, and only if nothing
 * follows it.
 *
 * @throws {BackupError} `corrupt`. No byte of a chunk that was changed is ever yielded.
 */
export async function* openPayload(sealed: ByteStream, key: Buffer, ctx: RunContext): AsyncGenerator<Uint8Array> {
  let counter = 0
  let held: Buffer = Buffer.alloc(0)
  for await (const block of coalesce(sealed, MiB)) {
    ctx.signal.throwIfAborted()
    const data = held.length === 0 ? asBuffer(block) : Buffer.concat([held, block])
    const whole = chunksBefore(data.length - 1, sealedChunkBytes)
    for (let first = 0; first < whole; first += batch) {
      const count = Math.min(batch, whole - first)
      const part = data.subarray(first * sealedChunkBytes, (first + count) * sealedChunkBytes)
      yield openChunks(part, key, counter)
      counter += count
    }
    held = data.subarray(whole * sealedChunkBytes)
  }
  const last = openChunk(held, key, counter, true)
  if (last.length > 0) yield last
  else if (counter > 0) throw damagedAge('its last chunk is empty')
}

/** Full chunks that fit into so many bytes. */
function chunksBefore(bytes: number, size: number): number {
  return Math.max(0, Math.floor(bytes / size))
}

/** Full chunks side by side, none of them the last. */
function sealChunks(plain: Buffer, key: Buffer, counter: number): Buffer {
  const count = plain.length / chunkBytes
  const sealed = Buffer.allocUnsafe(count * sealedChunkBytes)
  for (let index = 0; index < count; index++) {
    const chunk = plain.subarray(index * chunkBytes, (index + 1) * chunkBytes)
    sealChunk(chunk, key, counter + index, false).copy(sealed, index * sealedChunkBytes)
  }
  return sealed
}

function openChunks(sealed: Buffer, key: Buffer, counter: number): Buffer {
  const count = sealed.length / sealedChunkBytes
  const plain = Buffer.allocUnsafe(count * chunkBytes)
  for (let index = 0; index < count; index++) {
    const chunk = sealed.subarray(index * sealedChunkBytes, (index + 1) * sealedChunkBytes)
    openChunk(chunk, key, counter + index, false).copy(plain, index * chunkBytes)
  }
  return plain
}

function sealChunk(plain: Uint8Array, key: Buffer, counter: number, last: boolean): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce(counter, last), { authTagLength: tagBytes })
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function openChunk(sealed: Buffer, key: Buffer, counter: number, last: boolean): Buffer {
  if (sealed.length < tagBytes) throw damagedAge('it ends early')
  const nonce = chunkNonce(counter, last)
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const plain = decipher.update(sealed.subarray(0, -tagBytes))
  try {
    decipher.final()
  } catch {
    throw damagedAge(`chunk ${counter + 1} was changed, or bytes before it are missing or too many`)
  }
  return plain
}

/** Eleven bytes of counter, one that tells the last chunk. */
function chunkNonce(counter: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
