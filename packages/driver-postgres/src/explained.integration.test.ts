import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { createRunContext, type Driver, isBackupError } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from './driver.js'

let server: PostgresServer
const logged: string[] = []
const keep = (line: string): void => void logged.push(line)
const ctx = createRunContext({ log: { debug: keep, info: keep, warn: keep, error: keep } })

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `create table t (id int primary key, note text);
     insert into t select i, 'canary ' || i from generate_series(1, 5000) i;
     create view v as select * from t`,
  )
})
afterAll(() => server.stop())

const on = (database: string): Driver => postgres({ url: server.url(database), binDir: server.binDir })

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; hint?: string | undefined }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isBackupError(error)) throw error ?? new Error('it did not fail')
  return error
}

describe.each(['custom', 'plain'] as const)('a restore of a %s dump that fails', (format) => {
  const backup = (): Promise<MemoryBackup> => memoryBackup(on('shop'), { format, sections: 'data' }, ctx)

  it('tells which keys are there twice, and no values of rows, in errors and in logs', async () => {
    const { code, message, hint } = await failure(on('shop').restore(await backup(), { mode: 'append' }, ctx))
    expect([code, hint]).toEqual(['restore-failed', expect.stringContaining('append adds rows')])
    expect(message).toMatch(/duplicate key value violates unique constraint "t_pkey"/)
    await server.createDatabase(`other_${format}`)
    await server.sql(`other_${format}`, 'create table t (id int primary key, note int)')
    const wrong = await failure(on(`other_${format}`).restore(await backup(), { mode: 'append' }, ctx))
    expect(wrong.message).toContain('invalid input syntax for type integer: "…"')
    expect(`${message}\n${wrong.message}\n${logged.join('\n')}`).not.toMatch(/canary|Key \(id\)=\(\d/)
  })
})

it('of one table on which something else depends is told in plain words', async () => {
  const backup = await memoryBackup(on('shop'), {}, ctx)
  const { code, message, hint } = await failure(on('shop').restore(backup, { mode: 'clean', tables: ['t'] }, ctx))
  expect([code, hint]).toEqual(['restore-failed', expect.stringContaining('Nothing was changed')])
  expect(message).toBe(
    'table public.t cannot be dropped and made again, because view public.v depends on it and is not restored with it',
  )
})

it('of a dump that was cut is told as such', async () => {
  const { binDir, host, port, user, password } = server
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: 'shop' }
  const dump = execFileSync(join(binDir, 'pg_dump'), ['-Fc'], { env })
  const backup = await memoryBackup(on('shop'), {}, ctx)
  const cut: MemoryBackup = {
    ...backup,
    async *open() {
      yield dump.subarray(0, dump.length * 0.8)
    },
  }
  const { code, message } = await failure(on('cut').restore(cut, { mode: 'create' }, ctx))
  expect([code, message]).toEqual(['corrupt', 'The dump is not whole: it ends in the middle'])
})
