import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cannotMake, isFull, requireRoom, takeName } from './database-files.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
const path = (name: string): string => join(directory, name)

describe('the name of a database that is not there', () => {
  it('is taken, whatever empty files SQLite has left', async () => {
    writeFileSync(path('new'), 'content')
    writeFileSync(path('app.db-wal'), '')
    await takeName(path('new'), path('app.db'))
    expect(readFileSync(path('app.db'), 'utf8')).toBe('content')
  })

  it.each(['-journal', '-wal'])('is not taken beside a %s of one that is gone', async (suffix) => {
    writeFileSync(path('new'), 'content')
    writeFileSync(path(`app.db${suffix}`), 'pages')
    await expect(takeName(path('new'), path('app.db'))).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringContaining(`app.db${suffix} belongs to a database that is gone`),
    })
    expect(existsSync(path('app.db'))).toBe(false)
  })

  it('is not taken from one that has come meanwhile', async () => {
    writeFileSync(path('new'), 'content')
    writeFileSync(path('app.db'), 'theirs')
    await expect(takeName(path('new'), path('app.db'))).rejects.toMatchObject({ code: 'target-not-empty' })
    expect(readFileSync(path('app.db'), 'utf8')).toBe('theirs')
  })
})

describe('a disk', () => {
  it('that is full is told from one that cannot be written', () => {
    const systemError = (code: string): Error => Object.assign(new Error(code), { code })
    expect([isFull(systemError('EDQUOT')), isFull(new Error('odd'))]).toEqual([true, false])
    expect(cannotMake('app.db', systemError('ENOSPC'))).toMatchObject({ code: 'storage-full' })
    expect(cannotMake('app.db', systemError('EACCES'))).toMatchObject({ code: 'restore-refused' })
  })

  it('without room is told before the first byte is written; of one that cannot be asked, nothing', async () => {
    await requireRoom(directory, 1)
    await requireRoom(path('nowhere'), 2 ** 60)
    await expect(requireRoom(directory, 2 ** 60)).rejects.toMatchObject({ code: 'storage-full' })
  })
})
