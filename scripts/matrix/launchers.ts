import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes a starter for programs of another Debian: each runs with that system's loader and libraries, but sees this
 * system's files and processes, as a program that is installed here would. A chroot would hide the private files and
 * descriptors that Holdfast hands to its children.
 *
 * The program is told the starter's own path as its name, by which PostgreSQL's programs find each other.
 *
 * @param tree - The root of that system, when the starters are run.
 * @param programs - Path of each program, below `tree`.
 */
export function writeLaunchers(folder: string, tree: string, programs: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  const loader = `'${tree}/lib64/ld-linux-x86-64.so.2' --library-path '${tree}/usr/lib/x86_64-linux-gnu'`
  for (const program of programs) {
    const starter = join(folder, program.slice(program.lastIndexOf('/') + 1))
    writeFileSync(starter, `#!/bin/sh\nexec ${loader} --argv0 "$0" '${join(tree, program)}' "$@"\n`)
    chmodSync(starter, 0o755)
  }
}
