import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver, type Inventory } from '@holdfast/core'
import { streamOfPart } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import mysql2 from 'mysql2/promise'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mysql } from './driver.js'
import { findTools } from './tools.js'

const ctx = createRunContext()
const database = `inventory_${process.pid.toString(36)}`
const directory = mkdtempSync(join(tmpdir(), 'holdfast-inventory-'))
let server: MysqlServer

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(database)
  await server.sql(database, 'create table t (i int)', 'insert into t values (1), (2)')
})
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await server.sql(undefined, `drop database ${database}`)
  await server.stop()
})

const driverOf = (options: object = {}): Driver =>
  mysql({ url: server.url(database), ...(server.binDir ? { binDir: server.binDir } : {}), ...options })

/** Another session of the same user. */
async function another(): Promise<mysql2.Connection> {
  const { host, port, user, password } = server
  return await mysql2.createConnection({ host, port, user, password, database })
}

/** The dump programs, which begin when somebody has opened the FIFO for writing and closed it again. */
async function waitingPrograms(): Promise<{ readonly binDir: string; readonly fifo: string }> {
  const fifo = join(directory, 'begin')
  execFileSync('mkfifo', [fifo])
  for (const { name, path } of await findTools('dump', server.binDir)) {
    const waits = `case "$*" in *--defaults-file=*) cat ${fifo} ;; esac`
    writeFileSync(join(directory, name), `#!/bin/sh\n${waits}\nexec ${path} "$@"\n`, { mode: 0o755 })
  }
  return { binDir: directory, fifo }
}

it('the inventory is of the dumped rows though another session of the user was in a transaction first', async () => {
  const { binDir, fifo } = await waitingPrograms()
  const session = await driverOf({ binDir }).dump({ inventory: 'counts' }, ctx)
  let sql = ''
  const dumped = (async () => {
    for await (const part of session.parts) {
      for await (const chunk of streamOfPart(part)) sql += Buffer.from(chunk).toString()
    }
  })()
  const gate = await open(fifo, 'w') // opens when the program waits: the lock is held by now
  const stranger = await another()
  await stranger.query('start transaction with consistent snapshot')
  await stranger.query('select * from t')
  const writer = await another()
  await writer.query('set session lock_wait_timeout = 1')
  await expect(writer.query('insert into t values (3)')).rejects.toThrow(/lock/i)
  await gate.close()
  await dumped
  await writer.query('insert into t values (4)')
  const inventory = await session.inventory?.()
  await Promise.all([stranger.end(), writer.end(), session[Symbol.asyncDispose]()])
  expect(inventory).toMatchObject({ exact: true, tables: [{ name: 't', rows: 2 }] } satisfies Partial<Inventory>)
  expect(sql.match(/\(\d\)/g)).toHaveLength(2)
  await server.sql(database, 'delete from t where i > 2')
})

it('the inventory waits no longer than lockTimeout for a table that somebody holds', async () => {
  const holder = await another()
  await holder.query('lock tables t write')
  const session = await driverOf({ lockTimeout: '1s', globalReadLock: false }).dump({ inventory: 'counts' }, ctx)
  const begun = Promise.withResolvers<void>()
  const dumped = (async () => {
    for await (const part of session.parts) {
      const body = streamOfPart(part)
      begun.resolve()
      for await (const _ of body);
    }
  })()
  dumped.catch(() => {})
  try {
    await begun.promise
    await expect(session.inventory?.()).rejects.toMatchObject({ code: 'timed-out', retryable: true })
  } finally {
    await holder.end()
  }
  await dumped.catch(() => {}) // MySQL's program keeps to the time, MariaDB's knows none
  await session[Symbol.asyncDispose]()
})

it('the inventory is not to be had before the dump', async () => {
  await using session = await driverOf().dump({ inventory: 'counts' }, ctx)
  await expect(session.inventory?.()).rejects.toMatchObject({ code: 'internal' })
})

it('a dump that fails says why, and nothing of the tables before', async () => {
  await server.sql(
    database,
    'create table gone (i int)',
    'create view zz_broken as select * from gone',
    'drop table gone',
  )
  const session = await driverOf().dump({ inventory: 'counts' }, ctx)
  const dumping = (async () => {
    for await (const part of session.parts) for await (const _ of streamOfPart(part));
  })()
  const error = await Promise.all([dumping, session.done]).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  await session[Symbol.asyncDispose]()
  await server.sql(database, 'drop view zz_broken')
  expect(error).toMatchObject({ code: 'dump-failed', message: expect.stringContaining('zz_broken') })
  expect(error?.message).not.toContain('-- Retrieving')
})
