import { randomBytes } from 'node:crypto'
import { BackupError } from '../src/backup-error.js'
import type { ByteStream } from '../src/byte-stream.js'
import type { Catalog } from '../src/catalog/catalog.js'
import { memoryCatalog } from '../src/catalog/memory-catalog.js'
import { parseCompression } from '../src/codec/parse-compression.js'
import type { EngineDeps } from '../src/engine/engine-deps.js'
import { trackUse } from '../src/engine/in-use.js'
import type { Job } from '../src/engine/job.js'
import { type BackupRun, runBackup } from '../src/engine/run-backup.js'
import { wholeObjectLayout } from '../src/layout/whole-object-layout.js'
import { createRunContext, type RunContext } from '../src/run-context.js'
import type { PutOptions, Storage } from '../src/storage/storage.js'
import { type MemoryDriverOptions, memoryDriver } from '../src/testing/memory-driver.js'

export const content: Buffer = randomBytes(300_000)

export function jobOn(
  storages: readonly Storage[],
  changes: Partial<Job> = {},
  driver: Partial<MemoryDriverOptions> = {},
): Job {
  return {
    name: 'shop',
    source: memoryDriver({ name: 'shop', database: { content }, ...driver }),
    storages,
    minCopies: 1,
    codec: parseCompression('zstd'),
    dump: { inventory: 'counts' },
    stallTimeoutMs: 60_000,
    retention: new Map(),
    minKeep: 1,
    ...changes,
  }
}

export const setUp = (catalog: Catalog = memoryCatalog()): EngineDeps => ({
  catalog,
  layout: wholeObjectLayout,
  inUse: trackUse(),
})

export function run(job: Job, deps: EngineDeps = setUp(), ctx: RunContext = createRunContext()): Promise<BackupRun> {
  return runBackup(job, { type: 'manual' }, deps, ctx)
}

/** Everything on a storage but its identity. */
export async function keysOn(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('', createRunContext())) if (key !== '.holdfast/storage.json') keys.push(key)
  return keys.sort()
}

/** The storage with another `put`, which may fall back on the true one. */
export function withPut(
  storage: Storage,
  put: (key: string, body: ByteStream, options: PutOptions, ctx: RunContext) => ReturnType<Storage['put']>,
): Storage {
  return { ...storage, put }
}

export const down = (): Promise<never> =>
  Promise.reject(new BackupError('unavailable', { message: 'no route to storage', retryable: true }))
