import type { BackupRecord } from '@holdfast/core'

/** A backup as `--json` prints it. Sizes in bytes, times in UTC. */
export type BackupDocument = Omit<BackupRecord, 'manifest' | 'base'>

/** What programs need to know of a backup; the manifest is for `show`. */
export function backupDocument({ manifest: _, base: __, ...backup }: BackupRecord): BackupDocument {
  return backup
}
