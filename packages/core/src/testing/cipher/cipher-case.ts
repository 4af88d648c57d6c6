import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type BackupErrorCode, isBackupError } from '../../backup-error.js'
import { readAll, streamOf } from '../../byte-stream.js'
import type { Cipher } from '../../cipher/cipher.js'
import type { RunContext } from '../../run-context.js'

/** What a case of the cipher contract works on: made by the tests of the cipher. */
export interface CipherCaseEnv {
  /** Encrypts, and holds the key that decrypts. */
  readonly cipher: Cipher
  /** Encrypts for the same, and holds no key. Absent for ciphers whose one key does both. */
  readonly writeOnly?: Cipher
  /** Holds another key. */
  readonly stranger: Cipher
  /** What must not be seen in the cipher or its errors: keys, passphrases. */
  readonly secrets: readonly string[]
  /** How many places the cases about damage try. Default 64. */
  readonly probes?: number
  readonly ctx: RunContext
}

/**
 * One promise of the cipher contract. Plain data: the tests of each cipher run the same list.
 * A case rejects with an `AssertionError`, or with what the cipher threw, when the promise is broken.
 */
export interface CipherCase {
  /** What is promised, for example `a flipped bit is noticed`. Unique. */
  readonly name: string
  run(env: CipherCaseEnv): Promise<void>
}

/** Bytes that do not repeat. */
export function sample(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = size + 1
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Cuts bytes into chunks of a size. */
export function inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const count = Math.ceil(bytes.length / size)
  return streamOf(...Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)))
}

/** What a cipher makes of bytes. */
export function sealed(cipher: Cipher, plain: Buffer, ctx: RunContext): Promise<Buffer> {
  return readAll(cipher.encrypt(inChunks(plain, 50_000), ctx))
}

/** What a cipher reads, or the error, and the bytes that had come before it. */
export async function opened(
  cipher: Cipher,
  encrypted: Buffer,
  ctx: RunContext,
): Promise<{ readonly plain: Buffer; readonly error?: unknown }> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of cipher.decrypt(inChunks(encrypted, 70_000), ctx)) chunks.push(chunk)
    return { plain: Buffer.concat(chunks) }
  } catch (error) {
    return { plain: Buffer.concat(chunks), error }
  }
}

/** The error is one of those codes, and shows no secret. */
export function assertCode(error: unknown, codes: readonly BackupErrorCode[], what: string, env: CipherCaseEnv): void {
  assert.ok(
    codes.some((code) => isBackupError(error, code)),
    `${what}: expected ${codes.join(' or ')}, got ${error === undefined ? 'no error' : error}`,
  )
  assertNoSecrets(error, env)
}

/** Neither printed nor serialised does it show a secret. */
export function assertNoSecrets(value: unknown, { secrets }: CipherCaseEnv): void {
  const shown = `${inspect(value, { depth: 10, showHidden: true })} ${JSON.stringify(value)} ${String(value)}`
  for (const secret of secrets) assert.ok(!shown.includes(secret), 'a secret can be seen')
}
