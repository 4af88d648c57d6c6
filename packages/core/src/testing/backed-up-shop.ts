import { randomBytes } from 'node:crypto'
import type { Driver } from '../driver/driver.js'
import type { Holdfast } from '../facade/holdfast.js'
import { createHoldfast } from '../holdfast.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from './fake-clock.js'
import { type MemoryDatabase, memoryDriver } from './memory-driver.js'
import { memoryStorage } from './memory-storage.js'

/** A database in memory that was backed up, and holds something else since then. */
export interface BackedUpShop {
  /** At noon UTC on 1 March 2026. */
  readonly clock: ReturnType<typeof createFakeClock>
  readonly shop: MemoryDatabase & { readonly beside: Map<string, MemoryDatabase> }
  readonly source: Driver
  readonly disk: Storage
  readonly holdfast: Holdfast
  /** What the backup holds. */
  readonly content: Buffer
}

/** @param since - What the database holds now. */
export async function backedUpShop(since: Buffer): Promise<BackedUpShop> {
  const clock = createFakeClock(new Date('2026-03-01T12:00:00Z'))
  const content = randomBytes(100_000)
  const shop: BackedUpShop['shop'] = { content, beside: new Map() }
  const source = memoryDriver({ name: 'shop', database: shop })
  const disk = memoryStorage({ name: 'disk' })
  const holdfast = createHoldfast({ storages: { disk }, jobs: { shop: { source, storages: ['disk'] } }, clock })
  await holdfast.backup()
  shop.content = since
  return { clock, shop, source, disk, holdfast, content }
}
