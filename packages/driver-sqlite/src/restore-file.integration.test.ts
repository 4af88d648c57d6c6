import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { createHoldfast, dumpFromStream, dumpOnDisk, streamOf } from '@holdfast/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqlite } from './driver.js'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-file-'))
const source = join(directory, 'shop.db')

beforeAll(() => {
  const database = new DatabaseSync(source)
  database.exec("create table t (n int); insert into t select value from json_each('[1,2,3]')")
  database.close()
})
afterAll(() => rmSync(directory, { recursive: true }))

const sum = (path: string): unknown => {
  const database = new DatabaseSync(path)
  try {
    return database.prepare('select sum(n) as sum from t').get()?.sum
  } finally {
    database.close()
  }
}

describe('a database file that Holdfast did not make', () => {
  it.each([
    ['a file', () => dumpOnDisk(source)],
    ['a compressed stream', () => dumpFromStream('-', streamOf(gzipSync(readFileSync(source))))],
  ])('is restored from %s', async (name, file) => {
    const path = join(directory, `${name}.db`)
    await using holdfast = createHoldfast({ jobs: {} })
    const result = await holdfast.restoreFile(file(), { into: sqlite({ path }) })
    expect(result).toMatchObject({ created: true, mode: 'create' })
    expect(sum(path)).toBe(6)
  })

  it('that is cut is refused, and leaves nothing', async () => {
    const path = join(directory, 'cut.db')
    const cut = dumpFromStream('-', streamOf(readFileSync(source).subarray(0, -100)))
    await using holdfast = createHoldfast({ jobs: {} })
    await expect(holdfast.restoreFile(cut, { into: sqlite({ path }) })).rejects.toMatchObject({ code: 'corrupt' })
    expect(sum(source)).toBe(6)
    expect(() => readFileSync(path)).toThrow('ENOENT')
  })
})
