import type { Manifest } from '@holdfast/core'
import { expect, it } from 'vitest'
import { compareSpace } from './space.js'

const mebibyte = 1024 ** 2
const manifest = {
  parts: [{ storedBytes: 10 * mebibyte, plainBytes: 40 * mebibyte }],
  options: { databaseBytes: 100 * mebibyte },
} as unknown as Manifest

it.each([
  [200, 0, 0],
  [105, 0, 1],
  [60, 0, 1],
  [49, 1, 0],
])('with %d MiB free there are %d problems and %d warnings', (free, problems, warnings) => {
  const found = compareSpace(free * mebibyte, manifest)
  expect([found.problems.length, found.warnings.length]).toEqual([problems, warnings])
})

it('goes by the size of the dump where that of the database is not known', () => {
  const [problem] = compareSpace(15 * mebibyte, { ...manifest, options: {} }).problems
  expect(problem?.message).toBe("The server's disk has 15 MiB free, and the database of the backup took 40 MiB")
})
