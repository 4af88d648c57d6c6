import type { Scenario } from '#bench/bench'
import { encrypted } from '#bench/scenarios/age'
import { backupDisk } from '#bench/scenarios/backup-disk'
import { backupPgDump } from '#bench/scenarios/backup-pg-dump'
import { backupS3 } from '#bench/scenarios/backup-s3'
import { backupWithoutZstd } from '#bench/scenarios/backup-without-zstd'
import { mariadbBackup, mariadbRestore } from '#bench/scenarios/mariadb'
import { memoryAge, memoryDisk, memoryS3 } from '#bench/scenarios/memory'
import { restoreDisk } from '#bench/scenarios/restore-disk'
import { restoreS3 } from '#bench/scenarios/restore-s3'
import { startup } from '#bench/scenarios/startup'
import { testRestore } from '#bench/scenarios/test-restore'

/** Every scenario, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  backupDisk,
  encrypted,
  backupWithoutZstd,
  backupPgDump,
  backupS3,
  restoreDisk,
  restoreS3,
  testRestore,
  mariadbBackup,
  mariadbRestore,
  memoryDisk,
  memoryAge,
  memoryS3,
  startup,
]
