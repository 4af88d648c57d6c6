import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []

// Of the file whose tests import this.
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

/** Makes a directory that goes when the tests of a file are over. */
export function tempDirectory(name: string): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), `holdfast-${name}-`)))
  made.push(directory)
  return directory
}
