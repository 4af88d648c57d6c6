import { readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRunContext, readAll, type Storage, type StoredObject, streamOf } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { meddling, type Request } from '../test/meddling.js'
import { useSshd } from '../test/sshd.js'
import { type Connection, createConnection } from './connection.js'
import { sftp } from './index.js'
import { resolveSftpOptions } from './options.js'
import { putObject } from './put-object.js'
import { sweep } from './sweep.js'
import { asideOf } from './temp-name.js'

const ctx = createRunContext()
const server = useSshd({ sftpArguments: ['-P', 'posix-rename'] })
let storage: Storage
/** One for each process that would be at work. */
let connections: Connection[]
let folder = 0
beforeEach(() => {
  folder++
  storage = sftp(server.options())
  connections = [1, 2, 3].map(() => createConnection(resolveSftpOptions(server.options())))
})
afterEach(async () => {
  for (const each of [storage, ...connections]) await each.close?.()
})

const key = (): string => `race-${folder}/note`
const path = (): string => join(server.sshd.directory, key())
const read = async (): Promise<string> => (await readAll(storage.get(key(), undefined, ctx))).toString()
const names = (): string[] => readdirSync(join(server.sshd.directory, `race-${folder}`))

const put = (connection: Connection | undefined, text: string): Promise<StoredObject> => {
  if (!connection) throw new Error('There are three connections')
  const request = { ifAbsent: false, ctx, inUse: new Set<string>() }
  return putObject(connection, key(), streamOf(Buffer.from(text)), request)
}
const sweepAll = (connection: Connection | undefined, olderThanMs = 60_000): Promise<number> => {
  if (!connection) throw new Error('There are three connections')
  const all = { before: new Date(Date.now() - olderThanMs), prefixes: [`race-${folder}/`] }
  return sweep(connection, all, new Set(), ctx)
}
/** Sweeps what was killed just now as well. */
const tidy = (): Promise<number> => sweepAll(connections[0], -60_000)

/** The request that makes the newer object visible, after the older one has stepped aside. */
const publishes = ({ name, paths: [from = '', to] }: Request): boolean =>
  name === 'rename' && from.includes('.holdfast-tmp-') && to === path()
/** The request that takes away what waits. */
const takesAside = ({ name, paths: [from] }: Request): boolean =>
  ['rename', 'unlink'].includes(name) && from === asideOf(path())

/** A put that is killed just before its object becomes visible. */
const killedPut = (connection: Connection | undefined): Promise<unknown> =>
  connection
    ? expect(put(meddling(connection, publishes, 'die'), 'never seen')).rejects.toThrow('killed')
    : Promise.reject(new Error('There are three connections'))

function leaveAside(text: string): void {
  writeFileSync(asideOf(path()), text)
  makeOld(asideOf(path()))
}

function makeOld(file: string): void {
  const hourAgo = new Date(Date.now() - 3_600_000)
  utimesSync(file, hourAgo, hourAgo)
}

describe('a sweep that finds what a put left aside, while another put is at work', () => {
  it('does not take the object that has just stepped aside', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    leaveAside('an older one')
    await sweepAll(one && meddling(one, takesAside, () => killedPut(two)))
    expect(await read()).toBe('the object')
    await tidy()
    expect([await read(), names()]).toEqual(['the object', ['note']])
  })

  it('does not take the name from the object that is about to have it', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    makeOld(path())
    await put(one && meddling(one, publishes, () => sweepAll(two)), 'the newer')
    expect([await read(), names()]).toEqual(['the newer', ['note']])
  })

  it('lets the newer object be, which has taken its place meanwhile', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    renameSync(path(), asideOf(path()))
    makeOld(asideOf(path()))
    expect(await sweepAll(one && meddling(one, takesAside, () => put(two, 'the newer')))).toBe(1)
    expect([await read(), names()]).toEqual(['the newer', ['note']])
  })
})

describe('two puts of one object', () => {
  it('end with the one that came last, and fail neither', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    await put(one && meddling(one, publishes, () => put(two, 'the newer')), 'the newest')
    expect([await read(), names()]).toEqual(['the newest', ['note']])
  })

  it('leave one of them, when one is killed while the other one tidies up', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    await put(one && meddling(one, takesAside, () => killedPut(two)), 'the newer')
    expect(await read()).toBe('the newer')
    await tidy()
    expect([await read(), names()]).toEqual(['the newer', ['note']])
  })

  it('leave the object, when both are killed, one while the other one makes room for it', async () => {
    const [one, two] = connections
    await put(one, 'the object')
    leaveAside('an older one')
    const makingRoom = one && meddling(one, takesAside, () => killedPut(two))
    await killedPut(makingRoom)
    expect(await read()).toBe('the object')
  })
})
