import type { JobConfig } from '../src/config.js'
import type { BackupRecord } from '../src/engine/backup-record.js'
import type { Holdfast } from '../src/facade/holdfast.js'
import { createHoldfast } from '../src/holdfast.js'
import { keep } from '../src/retention/keep.js'
import type { RetentionStrategy } from '../src/retention/retention-strategy.js'
import { memoryDriver } from '../src/testing/memory-driver.js'
import { clock, type Shop } from './shop.js'

export const last = (count: number): RetentionStrategy => keep({ last: count, timeZone: 'UTC' })

/** What tests of retention do with the shop of each. */
export interface RetentionHelpers {
  /** The shop with a retention, on storages of its own or these. */
  shopWith(more: Partial<JobConfig>, storages?: Pick<Shop, 'disk' | 'offsite'>): Holdfast
  /** Backups a day apart, oldest first; nothing is deleted meanwhile. */
  backUp(days: number): Promise<BackupRecord[]>
  /** Oldest first. */
  idsOn(storage: string): Promise<string[]>
}

export function retentionHelpers(world: () => Shop): RetentionHelpers {
  return {
    shopWith(more, { disk, offsite } = world()) {
      const { database, logger } = world()
      const job = { source: memoryDriver({ name: 'shop', database }), storages: ['disk', 'offsite'], ...more }
      return createHoldfast({ storages: { disk, offsite }, jobs: { shop: job }, logger, clock })
    },

    async backUp(days) {
      const made: BackupRecord[] = []
      for (let day = 0; day < days; day++) {
        await clock.advance(24 * 3_600_000)
        made.push((await world().holdfast.backup()).backup)
      }
      return made
    },

    async idsOn(storage) {
      return (await world().holdfast.list({ storage })).backups.map(({ id }) => id).toReversed()
    },
  }
}
