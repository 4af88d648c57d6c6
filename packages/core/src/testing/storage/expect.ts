import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type BackupErrorCode, isBackupError } from '../../backup-error.js'
import type { ByteStream } from '../../byte-stream.js'
import type { RunContext } from '../../run-context.js'
import type { Storage } from '../../storage/storage.js'

/** Longest wait for something that has no reason to take long. */
const patienceMs = 10_000

/** Reads a stream whole: its size and SHA-256, so that nothing large is kept or printed. */
export async function digestOf(stream: ByteStream): Promise<string> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    size += chunk.byteLength
  }
  return `${size} bytes, sha256 ${hash.digest('hex')}`
}

/** Asserts that the object under `key` is exactly `bytes`: by `get`, `stat` and `list`. */
export async function assertHolds(storage: Storage, key: string, bytes: Uint8Array, ctx: RunContext): Promise<void> {
  assert.equal(await digestOf(storage.get(key, undefined, ctx)), await digestOf(one(bytes)), `content of ${key}`)
  assert.equal((await storage.stat(key, ctx))?.size, bytes.byteLength, `size of ${key} by stat`)
  const listed = await listKeys(storage, key, ctx)
  assert.ok(listed.includes(key), `${key} is listed`)
}

/** Asserts that there is no object under `key`: by `stat`, `list` and `get`. */
export async function assertAbsent(storage: Storage, key: string, ctx: RunContext): Promise<void> {
  assert.equal(await storage.stat(key, ctx), undefined, `stat of ${key}`)
  assert.deepEqual(await listKeys(storage, key, ctx), [], `list of ${key}`)
  await assertCode(digestOf(storage.get(key, undefined, ctx)), 'not-found')
}

/** The keys that begin with `prefix`, sorted. */
export async function listKeys(storage: Storage, prefix: string, ctx: RunContext): Promise<string[]> {
  const keys: string[] = []
  for await (const object of storage.list(prefix, ctx)) keys.push(object.key)
  return keys.sort()
}

/** Asserts that `work` rejects with a `BackupError` of `code`. */
export async function assertCode(work: Promise<unknown>, code: BackupErrorCode): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isBackupError(error, code), `expected a BackupError ${code}, got ${describe(error)}`)
    return true
  })
}

/** Asserts that `work` rejects with `reason` itself, not with an error around it. */
export async function assertRethrows(work: Promise<unknown>, reason: unknown): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error === reason, `expected the very error of the body or signal, got ${describe(error)}`)
    return true
  })
}

/** Awaits `event`, but fails when `work` ends first or when it takes unreasonably long. */
export async function before(event: Promise<unknown>, work: Promise<unknown>, what: string): Promise<void> {
  const ended = work.then(() => assert.fail(`the put ended before ${what}`))
  await within(Promise.race([event, ended]), what)
  ended.catch(() => {}) // the case awaits `work` itself later on
}

/** Awaits `event`; fails when it takes unreasonably long. */
export async function within(event: Promise<unknown>, what: string): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new assert.AssertionError({ message: `not in time: ${what}` })),
    patienceMs,
  )
  try {
    await Promise.race([event, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function describe(error: unknown): string {
  return isBackupError(error) ? `BackupError ${error.code}: ${error.message}` : String(error)
}
