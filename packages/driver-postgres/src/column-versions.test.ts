import { expect, it } from 'vitest'
import type { ArchiveHead } from './archive.js'
import { hasStrangeColumnVersions } from './column-versions.js'
import type { TargetServer } from './restore-job.js'

const target = (versionNumber: number): TargetServer => ({
  ...{ endpoint: { host: 'db', port: 5432 }, superuser: false },
  ...{ versionNumber, major: Math.floor(versionNumber / 10_000) },
})

const archive = (definition: string): ArchiveHead => {
  const entry = { id: 1, kind: 'TABLE', tag: 't', definition, hasData: false, dependencies: [] }
  const none = { schema: undefined, owner: undefined, tablespace: undefined, copyStatement: undefined }
  return {
    ...{ dumpVersion: '15.3', serverVersion: '15.20 (Debian 15.20-0+deb12u1)', compressed: true, intSize: 4 },
    entries: [{ ...entry, ...none, accessMethod: undefined }],
  }
}

it.each([
  [150_020, false],
  [150_021, false],
  [150_019, true],
  [160_010, true],
  [140_023, true],
])('a server of version %d may not know the versions of columns of 15.20: %s', (version, strange) => {
  const counted = 'CREATE TABLE t (x int);\nALTER TABLE ONLY t ALTER COLUMN x SET (pg_attver=5);\n'
  expect(hasStrangeColumnVersions(archive(counted), target(version))).toBe(strange)
  expect(hasStrangeColumnVersions(archive('CREATE TABLE t (x int);\n'), target(version))).toBe(false)
})
