import { randomBytes } from 'node:crypto'
import { readAll, streamOf } from '../src/byte-stream.js'
import type { Holdfast } from '../src/facade/holdfast.js'
import { createHoldfast } from '../src/holdfast.js'
import { createRunContext, type Logger } from '../src/run-context.js'
import type { Storage } from '../src/storage/storage.js'
import { createFakeClock, type FakeClock } from '../src/testing/fake-clock.js'
import { type MemoryDatabase, memoryDriver } from '../src/testing/memory-driver.js'
import { memoryStorage } from '../src/testing/memory-storage.js'

/** A job `shop` on two storages, and what it logs. */
export interface Shop {
  readonly database: MemoryDatabase
  readonly disk: Storage
  readonly offsite: Storage
  readonly holdfast: Holdfast
  /** Lines of the log, of whatever level. */
  readonly lines: string[]
  readonly logger: Logger
  /** The same job on other storages. */
  on(storages: Readonly<Record<string, Storage>>): Holdfast
}

/** Of all shops of a test file: each opens an hour after the one before. */
export const clock: FakeClock = createFakeClock(new Date('2026-03-01T00:00:00Z'))

export async function openShop(): Promise<Shop> {
  await clock.advance(3_600_000)
  const database: MemoryDatabase = { content: randomBytes(200_000) }
  const lines: string[] = []
  const log = (line: string): void => void lines.push(line)
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const source = memoryDriver({ name: 'shop', database })
  const on = (storages: Readonly<Record<string, Storage>>): Holdfast =>
    createHoldfast({ storages, jobs: { shop: { source, storages: Object.keys(storages) } }, logger, clock })
  const disk = memoryStorage({ name: 'disk' })
  const offsite = { ...memoryStorage({ name: 'offsite' }), isLocal: false }
  return { database, disk, offsite, holdfast: on({ disk, offsite }), lines, logger, on }
}

/** Changes one bit of an object. */
export async function flip(storage: Storage, key: string, at: number): Promise<void> {
  const bytes = await contentOf(storage, key)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  await storage.put(key, streamOf(bytes), {}, createRunContext())
}

/** Takes the last byte off an object. */
export async function truncate(storage: Storage, key: string): Promise<void> {
  const bytes = await contentOf(storage, key)
  await storage.put(key, streamOf(bytes.subarray(0, -1)), {}, createRunContext())
}

export function contentOf(storage: Storage, key: string): Promise<Buffer> {
  return readAll(storage.get(key, undefined, createRunContext()))
}
