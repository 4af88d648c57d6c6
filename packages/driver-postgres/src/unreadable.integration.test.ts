import { createRunContext } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => await server.stop())

describe('a role that may not read everything', () => {
  it('is told what it may not read, and its dump fails', async () => {
    await server.createDatabase('closed')
    await server.sql(
      'closed',
      `create role weak login password 'weak';
       create table open (id int); create table shut (id int); create sequence shut_seq;
       create table rows (id int); alter table rows enable row level security;
       create schema hidden; create table hidden.t (id int); grant select on hidden.t to weak;
       grant select on open, rows to weak; select lo_create(7)`,
    )
    const weak = postgres({ url: server.url('closed', { user: 'weak', password: 'weak' }), binDir: server.binDir })
    const { database, superuser } = await weak.probe(ctx)
    expect(superuser).toBe(false)
    expect(database?.unreadable).toEqual([
      'hidden.t',
      'large object 7',
      'public.rows',
      'public.shut',
      'public.shut_seq',
    ])
    const unreadable = async (options: PostgresOptions): Promise<unknown> => {
      const url = server.url('closed', { user: 'weak', password: 'weak' })
      return (await postgres({ url, binDir: server.binDir, ...options }).probe(ctx)).database?.unreadable
    }
    expect(await unreadable({ schemas: ['hid*'] })).toEqual(['hidden.t'])
    expect(await unreadable({ excludeSchemas: ['public'], largeObjects: false })).toEqual(['hidden.t'])
    expect(await unreadable({ schemas: ['public', 'hidden'], excludeSchemas: ['public'], largeObjects: true })).toEqual(
      ['hidden.t', 'large object 7'],
    )
    await expect(memoryBackup(weak, {}, ctx)).rejects.toMatchObject({ code: 'source-denied' })
    await expect(memoryBackup(weak, { tables: ['rows'], inventory: 'counts' }, ctx)).rejects.toMatchObject({
      code: 'source-denied',
    })
  })

  it('need not read what an extension has made, save for rows that the extension wants dumped', async () => {
    await server.createDatabase('extended')
    await server.sql(
      'extended',
      `create extension hstore; create table of_hstore (i int); create table wanted (i int);
       create sequence of_hstore_seq; create table own (i int); insert into own values (1);
       alter extension hstore add table of_hstore; alter extension hstore add table wanted;
       alter extension hstore add sequence of_hstore_seq;
       update pg_extension set extconfig = array['wanted'::regclass::oid], extcondition = array['']
        where extname = 'hstore';
       create role reader login password 'reader'; grant select on own to reader`,
    )
    const url = server.url('extended', { user: 'reader', password: 'reader' })
    const reader = postgres({ url, binDir: server.binDir })
    expect((await reader.probe(ctx)).database?.unreadable).toEqual(['public.wanted'])
    await expect(memoryBackup(reader, {}, ctx)).rejects.toMatchObject({ code: 'source-denied' })
    await server.sql('extended', 'grant select on wanted to reader')
    expect((await reader.probe(ctx)).database?.unreadable).toEqual([])
    const { manifest } = await memoryBackup(reader, { inventory: 'counts' }, ctx)
    expect(manifest.inventory?.tables).toEqual([{ schema: 'public', name: 'own', rows: 1 }])
  })
})
