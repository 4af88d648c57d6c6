import { createHash } from 'node:crypto'
import { BackupError, type ByteStream, createRunContext, MiB, type RunContext, type Storage } from '@holdfast/core'
import {
  type FaultyProxy,
  type S3Server,
  type S3ServerOptions,
  startFaultyProxy,
  startS3Server,
} from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type S3Options, s3 } from '../src/index.js'

/** A bucket behind a proxy that misbehaves as told. */
export interface FaultyBucket {
  readonly server: S3Server
  readonly proxy: FaultyProxy
  /** A storage that goes through the proxy; closed after the test. */
  open(options?: Partial<S3Options>): Storage
  /** A storage that goes around the proxy, to see what is really there. */
  direct(options?: Partial<S3Options>): Storage
}

/** Starts server and proxy for the tests of a file. After each test the faults are forgotten. */
export function useFaultyBucket(options: S3ServerOptions = {}): FaultyBucket {
  let server: S3Server
  let proxy: FaultyProxy
  const opened: Storage[] = []

  beforeAll(async () => {
    server = await startS3Server(options)
    await server.createBucket('backups')
    proxy = await startFaultyProxy(server.endpoint)
  })
  afterAll(async () => {
    await proxy?.stop()
    await server?.stop()
  })
  afterEach(async () => {
    proxy.clear()
    for (const storage of opened.splice(0)) await storage.close?.()
  })

  function open(endpoint: string, given: Partial<S3Options>): Storage {
    const { accessKeyId, secretAccessKey } = server
    const storage = s3({ bucket: 'backups', endpoint, accessKeyId, secretAccessKey, attempts: 4, ...given })
    opened.push(storage)
    return storage
  }

  return {
    get server() {
      return server
    },
    get proxy() {
      return proxy
    },
    open: (given = {}) => open(proxy.endpoint, { partSize: 5 * MiB, idleTimeout: 10_000, ...given }),
    direct: (given = {}) => open(server.endpoint, given),
  }
}

/** For what only ends because nobody waits longer; not less, or a busy machine looks like a fault. */
export const impatient: Partial<S3Options> = { idleTimeout: 2000 }

export const ctx: RunContext = createRunContext()

/** Fits into one request. */
export const small: Buffer = Buffer.from('a manifest, for example')

/** Takes three parts of 5 MiB. */
export const large: Buffer = patterned(11 * MiB)

let keys = 0
/** Unlike any other test's, and of the form that Holdfast writes. */
export const freshKey = (): string => `shop/2026/11/object-${++keys}`

/** Bytes that tell when a stretch of them is at the wrong place. */
export function patterned(size: number): Buffer {
  const blocks = Array.from({ length: 1021 }, (_, index) => createHash('sha256').update(`${index}`).digest())
  return Buffer.alloc(size, Buffer.concat(blocks))
}

export async function* inChunks(whole: Buffer, size: number = 300_000): ByteStream & AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

/** A body that fails once the first of its parts is on its way. */
export async function* failingLate(proxy: FaultyProxy, content: Buffer, error: Error): AsyncGenerator<Uint8Array> {
  const partSent = Promise.withResolvers<void>()
  proxy.before(({ operation }) => {
    if (operation === 'UploadPart') partSent.resolve()
  })
  yield* inChunks(content)
  await partSent.promise
  throw error
}

/** The `BackupError` that `work` rejects with. */
export async function failure(work: Promise<unknown>): Promise<BackupError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(BackupError)
  return error as BackupError
}

export async function listAll(storage: Storage, prefix: string = ''): Promise<string[]> {
  const found: string[] = []
  for await (const object of storage.list(prefix, ctx)) found.push(object.key)
  return found
}
