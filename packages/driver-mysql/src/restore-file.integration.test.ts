import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast, type Driver, dumpFromStream, dumpOnDisk, streamOf } from '@holdfast/core'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainDump } from '../test/support.js'
import { mysql } from './driver.js'

let server: MysqlServer
let directory: string
let original: string
let count = 0

beforeAll(async () => {
  server = await startMariadb()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-mysql-file-'))
  await server.sql(undefined, 'create database shop character set utf8mb4')
  await server.sql(
    'shop',
    'create table `odd "näme"` (id int primary key, note text)',
    `insert into \`odd "näme"\` values (1, 'it''s\\n🐚'), (2, 'USE \`everything\`')`,
    'create view v as select count(*) as n from `odd "näme"`',
    'create trigger t before insert on `odd "näme"` for each row set new.note = upper(new.note)',
    'create function twice(n int) returns int deterministic return 2 * n',
  )
  original = await plainDump(server, 'shop')
})

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await server.stop()
})

const driverOf = (database: string): Driver =>
  mysql({ url: server.url(database), ...(server.binDir ? { binDir: server.binDir } : {}) })

/** Runs a line as anybody would type it. */
function shell(line: string): Buffer {
  const { host, port, user, password, binDir } = server
  const env = { PATH: `${binDir ?? ''}:${process.env.PATH}`, MYSQL_PWD: password }
  const flags = `--host=${host} --port=${port} --user=${user} --protocol=tcp`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line.replace('DUMP', `mariadb-dump ${flags}`)], {
    env,
    cwd: directory,
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout
}

describe.each([
  ['plain', 'DUMP --routines --triggers --single-transaction --hex-blob shop'],
  ['in gzip', 'DUMP --routines --triggers --single-transaction --hex-blob shop | gzip'],
])('a dump made by hand, %s', (_, line) => {
  it('is restored from a file and from a stream', async () => {
    const bytes = shell(line)
    shell(`${line} > dump`)
    await using holdfast = createHoldfast({ jobs: {} })
    for (const file of [dumpOnDisk(join(directory, 'dump')), dumpFromStream('-', streamOf(bytes))]) {
      const target = `t${++count}`
      await server.sql(undefined, `create database ${target} character set utf8mb4`)
      const result = await holdfast.restoreFile(file, { into: driverOf(target) })
      expect(result).toMatchObject({ mode: 'create', manifest: { engine: 'mysql', options: { flavour: 'mariadb' } } })
      expect(await plainDump(server, target)).toBe(original)
    }
  })

  it('that was cut leaves nothing', async () => {
    const bytes = shell(line)
    await using holdfast = createHoldfast({ jobs: {} })
    const target = `t${++count}`
    const cut = dumpFromStream('-', streamOf(bytes.subarray(0, Math.floor(bytes.length * 0.9))))
    await expect(holdfast.restoreFile(cut, { into: driverOf(target) })).rejects.toMatchObject({ name: 'BackupError' })
    expect(await server.sql(undefined, `show databases like '${target}%'`)).toEqual([])
  })
})

it('a dump that names others as definers is warned of, in a preview too', async () => {
  const text = shell('DUMP --routines --triggers --single-transaction --hex-blob shop').toString('latin1')
  const stranger = Buffer.from(text.replace(/DEFINER=`[^`]*`@`[^`]*`/g, 'DEFINER=`root`@`localhost`'), 'latin1')
  const before: string[] = []
  await using holdfast = createHoldfast({ jobs: {} })
  const { warnings } = await holdfast.restoreFile(dumpFromStream('-', streamOf(stranger)), {
    into: driverOf(`t${++count}`),
    confirm: async (preview) => void before.push(...preview.warnings),
  })
  expect(before).toContainEqual(expect.stringContaining('--no-owner'))
  expect(warnings).toContainEqual(expect.stringContaining('root@localhost'))
})

it('a dump of several databases is refused', async () => {
  await using holdfast = createHoldfast({ jobs: {} })
  const file = dumpFromStream('-', streamOf(shell('DUMP --databases shop')))
  await expect(holdfast.restoreFile(file, { into: driverOf('t') })).rejects.toMatchObject({
    code: 'restore-refused',
    message: expect.stringContaining('--databases'),
  })
})

it.each([
  [`insert into t values ('canary', 1), ('canary', 2)`, "Duplicate entry '…' for key '"],
  [`insert into t values ('a', 'canary')`, "Incorrect integer value: '…' for column"],
  [`insert into t values ('a', canary shouts)`, 'error in your SQL syntax'],
])('a dump of which a row is refused tells no values of rows: %s', async (statement, said) => {
  const rows = `set sql_mode = 'STRICT_ALL_TABLES';\n${statement};\n-- Dump completed on 2026-01-01\n`
  const dump = `-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\ncreate table t (id varchar(20) primary key, n int);\n${rows}`
  const logged: string[] = []
  const keep = (line: string): void => void logged.push(line)
  await using holdfast = createHoldfast({ jobs: {}, logger: { debug: keep, info: keep, warn: keep, error: keep } })
  const file = dumpFromStream('-', streamOf(Buffer.from(dump)))
  const failed = await holdfast.restoreFile(file, { into: driverOf(`t${++count}`) }).catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'restore-failed', message: expect.stringContaining(said) })
  expect(`${(failed as Error).stack}\n${logged.join('\n')}`).not.toContain('canary')
})
