import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AsideDatabase, createHoldfast, createRunContext, type Driver, processMark } from '@holdfast/core'
import { memoryBackup, restoreStaged } from '@holdfast/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { startRestore } from '../test/start-restore.js'
import { sqlite } from './driver.js'

const ctx = createRunContext()
let directory: string
let target: Driver
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  makeDatabase(path('app.db'), `create table own(a); insert into own values ('before')`)
  makeDatabase(path('new.db'), `create table own(a); insert into own values ('after')`)
  target = sqlite({ path: path('app.db') })
})
afterEach(() => rmSync(directory, { recursive: true }))

const path = (name: string): string => join(directory, name)
const beside = (): string[] => readdirSync(directory).filter((name) => name.includes('__'))

async function restore(): Promise<string> {
  const backup = await memoryBackup(sqlite({ path: path('new.db') }), {}, ctx)
  return (await restoreStaged(target, backup, {}, ctx)).oldName ?? ''
}

async function cleanUp(driver = target): Promise<string[]> {
  await using holdfast = createHoldfast({ jobs: {} })
  return (await holdfast.cleanup(driver, { all: true })).dropped.map(({ name }) => name)
}

describe('what a restore left', () => {
  it('is known by the mark beside it, and goes with it', async () => {
    const name = await restore()
    expect(beside().sort()).toEqual([name, `${name}-mark`])
    expect(readFileSync(path(`${name}-mark`), 'utf8')).toContain('restore cleanup removes both')
    expect(await target.asides?.(ctx)).toMatchObject([{ name, kind: 'replaced' }])
    expect(await cleanUp()).toEqual([name])
    expect(beside()).toEqual([])
  })

  it('is nobody else’s file of such a name: never offered by undo, nor dropped', async () => {
    const names = ['app.db__before_00000001', 'app.db__holdfast_00000002']
    for (const name of names) copyFileSync(path('new.db'), path(name))
    // Nor one beside which somebody has put another kind of mark.
    copyFileSync(path('new.db'), path('app.db__before_00000003'))
    writeFileSync(path('app.db__before_00000003-mark'), JSON.stringify({ beside: 'app.db', maker: 'me' }))
    writeFileSync(path('app.db__before_00000004-mark'), 'a mark of mine')
    const before = beside()
    expect(await target.asides?.(ctx)).toEqual([])
    expect(await cleanUp()).toEqual([])
    await using holdfast = createHoldfast({ jobs: {} })
    await expect(holdfast.undo(target)).rejects.toMatchObject({ code: 'no-match' })
    expect(beside()).toEqual(before)
    const name = await restore()
    expect(before).not.toContain(name)
    expect(beside().filter((each) => !each.startsWith(name))).toEqual(before)
  })

  it('is not of another database whose name is cut to the same', async () => {
    const long = 'x'.repeat(230)
    const [one, other] = [`${long}1.db`, `${long}2.db`].map((name) => sqlite({ path: path(name) })) as [Driver, Driver]
    for (const name of [`${long}1.db`, `${long}2.db`]) copyFileSync(path('app.db'), path(name))
    const backup = await memoryBackup(sqlite({ path: path('new.db') }), {}, ctx)
    const { oldName } = await restoreStaged(one, backup, {}, ctx)
    expect(await one.asides?.(ctx)).toMatchObject([{ name: oldName }])
    expect(await other.asides?.(ctx)).toEqual([])
    expect(await cleanUp(other)).toEqual([])
    expect(await cleanUp(one)).toEqual([oldName])
  })

  it('is no link and no directory, though they be marked', async () => {
    const marked = await restore()
    const mark = path(`${marked}-mark`)
    const names = ['app.db__before_00000001', 'app.db__before_00000002', 'app.db__holdfast_00000003']
    for (const name of names) copyFileSync(mark, path(`${name}-mark`))
    symlinkSync(path('nowhere'), path('app.db__before_00000001'))
    symlinkSync(path('new.db'), path('app.db__before_00000002'))
    mkdirSync(path('app.db__holdfast_00000003'))
    expect(await cleanUp()).toEqual([marked])
  })
})

describe('a cleanup while a restore runs', () => {
  const unfinished = async (): Promise<AsideDatabase[]> =>
    ((await target.asides?.(ctx)) ?? []).filter(({ kind }) => kind === 'unfinished')

  it('of the same process leaves its scratch alone', async () => {
    const backup = await memoryBackup(sqlite({ path: path('new.db') }), {}, ctx)
    await using scratch = await target.scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
    await scratch?.driver.restore(backup, { mode: 'create' }, ctx)
    expect(beside()).toHaveLength(2)
    expect(await cleanUp()).toEqual([])
    const { oldName } = (await scratch?.swap?.({ terminateConnections: false }, ctx)) ?? {}
    await scratch?.[Symbol.asyncDispose]()
    expect(await cleanUp()).toEqual([oldName])
    expect(await target.query?.('select a from own', ctx)).toEqual([{ a: 'after' }])
  })

  it('of another process leaves its scratch alone, until that is killed', async () => {
    const restoring = await startRestore(path('new.db'), path('app.db'), 'wait')
    expect(beside().filter((name) => !name.endsWith('-mark'))).toHaveLength(1)
    expect(await unfinished()).toEqual([])
    expect(await cleanUp()).toEqual([])
    await restoring.kill()
    expect(await unfinished()).toHaveLength(1)
    expect(await cleanUp()).toHaveLength(1)
    expect(beside()).toEqual([])
    expect(await target.query?.('select a from own', ctx)).toEqual([{ a: 'before' }])
  })

  it('on another machine leaves its scratch alone while it is touched', async () => {
    const restoring = await startRestore(path('new.db'), path('app.db'), 'wait')
    await restoring.kill()
    const mark = beside().find((name) => name.endsWith('-mark')) ?? ''
    const elsewhere = readFileSync(path(mark), 'utf8').replace(processMark().slice(0, 8), '00000000')
    writeFileSync(path(mark), elsewhere)
    expect(await cleanUp()).toEqual([])
    const dayBefore = new Date(Date.now() - 25 * 3_600_000)
    for (const name of beside()) utimesSync(path(name), dayBefore, dayBefore)
    expect(await cleanUp()).toEqual([mark.replace(/-mark$/, '')])
    expect(beside()).toEqual([])
  })

  it('finds an empty mark, of a restore that was killed while it wrote it, but not beside a file', async () => {
    const [killed, own] = ['app.db__holdfast_00000001', 'app.db__holdfast_00000002'] as const
    for (const name of [killed, own]) writeFileSync(path(`${name}-mark`), '')
    writeFileSync(path(own), 'of somebody else')
    expect(await cleanUp()).toEqual([])
    const dayBefore = new Date(Date.now() - 25 * 3_600_000)
    for (const name of beside()) utimesSync(path(name), dayBefore, dayBefore)
    expect(await cleanUp()).toEqual([killed])
    expect(beside().sort()).toEqual([own, `${own}-mark`])
  })

  it('finds the mark of a file that was never made', async () => {
    const restoring = await startRestore(path('new.db'), path('app.db'), 'wait')
    await restoring.kill()
    const name = beside().find((each) => !each.endsWith('-mark')) ?? ''
    rmSync(path(name))
    expect(await target.asides?.(ctx)).toMatchObject([{ name, kind: 'unfinished', sizeBytes: 0 }])
    expect(await cleanUp()).toEqual([name])
    expect(beside()).toEqual([])
  })
})
