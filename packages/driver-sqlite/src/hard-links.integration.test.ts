import { linkSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'

const ctx = createRunContext()
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('a file with two names', () => {
  it('is warned of: SQLite takes them for two databases', async () => {
    const [path, other] = [join(directory, 'app.db'), join(directory, 'other.db')]
    makeDatabase(path, 'create table own(a)')
    linkSync(path, other)
    const app = new Database(path)
    app.exec("insert into own values ('not written yet')")
    const backup = await memoryBackup(sqlite({ path: other }), { inventory: 'counts' }, ctx)
    app.close()
    expect(backup.manifest.inventory?.tables).toMatchObject([{ name: 'own', rows: 0 }])
    expect(backup.manifest.warnings).toEqual([expect.stringContaining(`${other} has 2 names (hard links)`)])
    const names = expect.stringContaining(`${path} has 2 names (hard links)`)
    const failing = memoryBackup(sqlite({ path }), { onWarning: 'fail' }, ctx)
    await expect(failing).rejects.toMatchObject({ code: 'dump-failed', message: names })
    const found = await sqlite({ path }).preflight?.(backup, { mode: 'staged' }, ctx)
    expect(found?.warnings).toEqual([names])
    expect((await sqlite({ path }).restore(backup, { mode: 'clean' }, ctx)).warnings).toEqual([names])
  })
})
