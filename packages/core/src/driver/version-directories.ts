import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { lacksDescriptors } from './free-descriptors.js'
import { tooManyOpen } from './not-started.js'

/**
 * A place where versions of programs are installed beside each other: which entries of `root` are versions, and where
 * below one its programs are (default `bin`).
 */
export type VersionRoot = readonly [root: string, entry: RegExp, programs?: string]

/**
 * The directories of programs in such places, in their order. A place that is not there, or that cannot be read, has
 * none.
 *
 * @example
 * ```ts
 * import { findProgram, versionDirectories } from '@holdfast/core'
 *
 * const directories = versionDirectories([['/usr/lib/postgresql', /^\d+$/]]) // ['/usr/lib/postgresql/15/bin', …]
 * console.log(findProgram('pg_dump', directories))
 * ```
 * @throws {BackupError} `dump-failed` (retryable) when this process has too many files open: that says nothing about
 *   what is there.
 */
export function versionDirectories(roots: readonly VersionRoot[]): readonly string[] {
  return roots.flatMap(([root, entry, programs = 'bin']) =>
    entriesOf(root)
      .filter((name) => entry.test(name))
      .map((name) => join(root, name, programs)),
  )
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (lacksDescriptors(error)) throw tooManyOpen('dump-failed', `${directory} could not be searched`, error)
    return []
  }
}
