import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver, type PreflightRequest, type RestoreRequest } from '@holdfast/core'
import { damagedBackup, type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { nastyDatabase, type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, plainDump } from '../test/support.js'
import { postgres } from './driver.js'
import { majorOf } from './tools.js'

const ctx = createRunContext()
let server: PostgresServer
let binDir: string
let backup: MemoryBackup
let original: string

/**
 * A dump of a newer version than the server's: the version in the archive is changed, and a pg_restore that says it is
 * of that version writes a setting that this server does not know, as that of PostgreSQL 17 does for older ones.
 */
beforeAll(async () => {
  server = await startPostgres({ settings: { max_locks_per_transaction: 256 } })
  await server.createDatabase('source')
  await server.sql('source', nastyDatabase)
  original = await plainDump(server, 'source')
  const taken = await memoryBackup(postgres({ url: server.url('source'), binDir: server.binDir }), {}, ctx)
  const version = taken.manifest.tools.pg_dump ?? ''
  const newer = String(majorOf(version) + 1) + version.slice(2)
  const text = taken.bytes
    .get('dump')
    ?.toString('latin1')
    .replace(new RegExp(`(${escaped(version)}.{0,8})${escaped(version)}`, 's'), `$1${newer}`)
  const bytes = new Map([['dump', Buffer.from(text ?? '', 'latin1')]])
  backup = { ...damagedBackup({ ...taken, bytes }, 1), open: (part) => whole(bytes.get(part)) }
  binDir = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  for (const tool of ['psql', 'pg_dump']) symlinkSync(join(server.binDir, tool), join(binDir, tool))
  writeFileSync(
    join(binDir, 'pg_restore'),
    `#!/bin/sh
if [ "$1" = --version ]; then echo "pg_restore (PostgreSQL) ${newer}"; exit 0; fi
${server.binDir}/pg_restore "$@" | sed 's/^SET lock_timeout = 0;/&\\nSET setting_of_the_future = 0;/'
`,
    { mode: 0o755 },
  )
})
afterAll(async () => {
  await server.stop()
  rmSync(binDir, { recursive: true })
})

const target = (name: string): Driver => postgres({ url: server.url(name), binDir })

describe('a target older than the archive', () => {
  it('gets everything but the settings that it does not know', async () => {
    const report = await target('new').restore(backup, { mode: 'create' }, ctx)
    expect(Object.keys(report.tools)).toEqual(['pg_restore', 'psql'])
    expect(await plainDump(server, 'new')).toBe(original)
  })

  it('says that it takes one connection, where several were asked for', async () => {
    const { warnings } = await target('by one').restore(backup, { mode: 'create', jobs: 2 }, ctx)
    expect(warnings).toContainEqual(expect.stringContaining('Restored with one connection'))
    expect(await plainDump(server, 'by one')).toBe(original)
  })

  it('in place, in one transaction', async () => {
    await server.createDatabase('there')
    await target('there').restore(backup, { mode: 'append' }, ctx)
    expect(await plainDump(server, 'there')).toBe(original)
    await target('there').restore(backup, { mode: 'clean' }, ctx)
    expect(await plainDump(server, 'there')).toBe(original)
  })

  it.each([0.5, 1])('stays as it was when there is damage after %d of the bytes', async (share) => {
    const damaged = damagedBackup(backup, share)
    for (const mode of ['clean', 'append'] as const) {
      await expect(target('source').restore(damaged, { mode }, ctx)).rejects.toThrow()
      expect(await plainDump(server, 'source')).toBe(original)
    }
    await expect(target('never').restore(damaged, { mode: 'create' }, ctx)).rejects.toMatchObject({ code: 'corrupt' })
    expect(await databasesOf(server)).not.toContain('never')
  })

  it('needs a pg_restore that is not older than the archive', async () => {
    const old = postgres({ url: server.url('never'), binDir: server.binDir })
    await expect(old.restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({ code: 'tool-too-old' })
  })
})

describe('versions of columns, which a pg_dump writes that is older than its server', () => {
  it('are left out for a target that is of an earlier release than the source', async () => {
    await server.createDatabase('counted')
    await server.sql('counted', 'create table t as select 1 as x; alter table t alter x set (n_distinct=27591224)')
    const local = (name: string): Driver => postgres({ url: server.url(name), binDir: server.binDir })
    const taken = await memoryBackup(local('counted'), {}, ctx)
    const counted = taken.bytes.get('dump')?.toString('latin1').replace('n_distinct=27591224', 'pg_attver=275912245')
    const release = taken.manifest.tools.pg_dump ?? '' // in an archive the server's comes first
    const later = release.replace(/\.\d+/, (minor) => `.${'9'.repeat(minor.length - 1)}`)
    const fromLater = counted?.replace(release, later)
    const toolsOf = async (text = '', name = ''): Promise<readonly string[]> => {
      const backup = { ...taken, open: () => whole(Buffer.from(text, 'latin1')) }
      const { tools } = await local(name).restore(backup, { mode: 'create' }, ctx)
      expect(await server.sql(name, 'select x from t')).toEqual([{ x: 1 }])
      return Object.keys(tools)
    }
    expect(await toolsOf(fromLater, 'of a later release')).toEqual(['pg_restore', 'psql'])
    // Of the same release they are left in, for a server that dumps them takes them; an older one has none to dump.
    const takesThem = await server.sql('counted', 'alter table t alter x set (pg_attver=1)').then(
      () => true,
      () => false,
    )
    if (takesThem) expect(await toolsOf(counted, 'of the same release')).toEqual(['pg_restore'])
    else await expect(toolsOf(counted, 'of the same release')).rejects.toThrow(/pg_attver/)
    const logged = await plainDump(server, 'of a later release')
    expect(logged).not.toContain('275912245')
  })
})

describe('a psql that cannot be restricted', () => {
  it('is not trusted with a script', async () => {
    const plain = await memoryBackup(
      postgres({ url: server.url('source'), binDir: server.binDir, format: 'plain' }),
      {},
      ctx,
    )
    const old = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    writeFileSync(
      join(old, 'psql'),
      '#!/bin/sh\n[ "$1" = --version ] && echo "psql (PostgreSQL) 15.3" || echo help\n',
      { mode: 0o755 },
    )
    const restoring = postgres({ url: server.url('never'), binDir: old }).restore(plain, { mode: 'create' }, ctx)
    await expect(restoring).rejects.toMatchObject({
      code: 'tool-too-old',
      message: expect.stringContaining('CVE-2025-8714'),
    })
    expect(await databasesOf(server)).not.toContain('never')
    rmSync(old, { recursive: true })
  })

  /** What a dry run says is in the way. */
  async function inTheWay(
    from: MemoryBackup,
    request: PreflightRequest,
    name: string,
    psql: string | undefined,
  ): Promise<readonly string[]> {
    const old = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    for (const tool of ['pg_restore', 'pg_dump']) symlinkSync(join(binDir, tool), join(old, tool))
    if (psql) writeFileSync(join(old, 'psql'), psql, { mode: 0o755 })
    const driver = postgres({ url: server.url(name), binDir: old })
    const found = await driver.preflight?.(from, request, ctx)
    const said = found?.problems.map(({ message }) => message) ?? []
    if (said.length > 0) await expect(driver.restore(from, asRestore(request), ctx)).rejects.toThrow(said[0])
    rmSync(old, { recursive: true })
    return said
  }
  const asRestore = ({ mode, ...request }: PreflightRequest): RestoreRequest => ({
    ...request,
    mode: mode === 'staged' ? 'create' : mode,
  })
  const unrestricted = '#!/bin/sh\n[ "$1" = --version ] && echo "psql (PostgreSQL) 99.3" || echo help\n'

  it('or that is missing is named before the start, where it will be needed', async () => {
    const local = (name: string, options = {}): Driver =>
      postgres({ url: server.url(name), binDir: server.binDir, ...options })
    await server.createDatabase('simple')
    await server.sql('simple', 'create table t as select 1 as x')
    const custom = await memoryBackup(local('simple', { globals: true }), {}, ctx)
    const plain = await memoryBackup(local('simple', { format: 'plain' }), {}, ctx)
    const create = { mode: 'create' } as const
    const [cannot, missing] = [expect.stringContaining('CVE-2025-8714'), expect.stringContaining('psql was not found')]
    for (const [psql, said] of [
      [unrestricted, cannot],
      [undefined, missing],
    ] as const) {
      expect(await inTheWay(custom, create, 'never', psql)).toEqual([])
      expect(await inTheWay(custom, { ...create, globals: true }, 'never', psql)).toEqual([said])
      expect(await inTheWay(plain, create, 'never', psql)).toEqual([said])
      expect(await inTheWay(backup, create, 'never', psql)).toEqual([said])
      expect(await inTheWay(custom, { mode: 'clean' }, 'simple', psql)).toEqual([])
    }
    await server.sql(
      'simple',
      'create table parted (id int primary key) partition by range (id); create table part partition of parted default',
    )
    const parted = await memoryBackup(local('simple'), {}, ctx)
    expect(await inTheWay(parted, { mode: 'clean' }, 'simple', unrestricted)).toEqual([cannot])
    expect(await databasesOf(server)).not.toContain('never')
  })

  it('is a doubt where programs are looked at', async () => {
    const old = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    symlinkSync(join(server.binDir, 'pg_restore'), join(old, 'pg_restore'))
    writeFileSync(join(old, 'psql'), unrestricted, { mode: 0o755 })
    const programs = async (directory: string): Promise<readonly (string | undefined)[]> => {
      const driver = postgres({ url: server.url('source'), binDir: directory })
      return (await driver.programs?.('restore', ctx))?.map(({ warning }) => warning) ?? []
    }
    expect(await programs(old)).toEqual([undefined, expect.stringContaining('CVE-2025-8714')])
    expect(await programs(server.binDir)).toEqual([undefined, undefined])
    rmSync(old, { recursive: true })
  })
})

async function* whole(bytes: Buffer | undefined): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes
}

const escaped = (text: string): string => text.replace(/[.*+?^$()[\]{}|\\]/g, '\\$&')
