import type { BackupRecord } from '../backup-record.js'
import type { TestRestore } from './test-restore-result.js'

/** Whether the latest test restore did not bring back what was dumped, however whole the stored bytes are. */
export function isRefuted({ test }: { readonly test?: TestRestore | undefined }): boolean {
  return test?.status === 'differs' || test?.status === 'failed'
}

/** What the latest test restore says against a backup, as a warning; `undefined` where it says nothing. */
export function doubtOf({ name, test }: Pick<BackupRecord, 'name' | 'test'>): string | undefined {
  if (!test || test.status === 'proven') return undefined
  return `Backup ${name} ${findings[test.status]} in its test restore of ${test.testedAt}`
}

const findings: Readonly<Record<Exclude<TestRestore['status'], 'proven'>, string>> = {
  'assertion-failed': 'came back as it was dumped, but an assertion did not hold,',
  differs: 'did not come back as it was dumped',
  failed: 'could not be restored',
}
