import type { ArchiveHead } from './archive.js'
import type { TargetServer } from './restore-job.js'

/**
 * Servers since the releases of November 2026 count versions of columns. A pg_dump that is older than they takes that
 * count for an option of the column, and writes it; a server that is older as well refuses it.
 */
export const isColumnVersion = (sql: string): boolean => /^ALTER\s.*\sSET \(pg_attver=\d+\);$/s.test(sql)

/**
 * Whether an archive names versions of columns that its target may not know. Releases of one major version know what
 * earlier ones did; of another major version nobody knows from its number.
 */
export function hasStrangeColumnVersions(
  { entries, serverVersion }: ArchiveHead,
  target: Pick<TargetServer, 'major' | 'versionNumber'>,
): boolean {
  const [major, minor] = serverVersion.split('.').map((part) => Number.parseInt(part, 10))
  const isAsNew = target.major === major && target.versionNumber % 10_000 >= (minor ?? 0)
  return !isAsNew && entries.some(({ definition }) => definition.includes(' SET (pg_attver='))
}
