import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backupFilesIn, bin, filesIn, holdfast, holdfastAtTerminal, runProgram } from './cli-process.js'

let server: PostgresServer
let root: string
let cwd: string

beforeAll(async () => {
  server = await startPostgres()
  root = await mkdtemp(join(tmpdir(), 'holdfast-cli-fail-'))
  await server.createDatabase('small')
  await server.sql('small', 'CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n')
  await server.createDatabase('big')
  // About 120 MB that hardly compress: seconds of work.
  await server.sql(
    'big',
    `CREATE TABLE noise AS
     SELECT n, gen_random_uuid()::text || gen_random_uuid() || gen_random_uuid() AS a FROM generate_series(1, 1000000) n`,
  )
})

beforeEach(async () => {
  cwd = await mkdtemp(join(root, 'case-'))
})

afterAll(async () => {
  await server?.stop()
  await rm(root, { recursive: true, force: true })
})

const urlOf = (database: string): Record<string, string> => ({ DATABASE_URL: server.url(database) })

describe('exit codes', () => {
  it('1: nothing is configured', async () => {
    const { code, out, err } = await holdfast({ cwd }, 'backup', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({
      error: { code: 'config-invalid', message: expect.any(String), hint: expect.stringContaining('holdfast backup') },
    })
    expect(err).toContain('no config file, no DATABASE_URL and no URL')
  })

  it('3: a storage that cannot be', async () => {
    writeFileSync(join(cwd, 'file'), '')
    const { code, err } = await holdfast({ cwd, env: urlOf('small') }, 'backup', '--to', './file')
    expect(err).toContain('is not a directory')
    expect(code).toBe(3)
  })

  it('4: a wrong password, which is not printed', async () => {
    const url = server.url('small', { user: 'postgres', password: 'c4n4ry-wr0ng' })
    const { code, out, err } = await holdfast({ cwd, env: { DATABASE_URL: url } }, 'backup', '--verbose', '--json')
    expect(code).toBe(4)
    expect(JSON.parse(out).error.code).toBe('source-denied')
    expect(out + err).not.toContain('c4n4ry')
  })

  it('4: a database that is missing, a server that is away', async () => {
    const missing = await holdfast({ cwd, env: urlOf('nowhere') }, 'backup')
    expect([missing.code, missing.err]).toEqual([4, expect.stringContaining('"nowhere"')])
    const away = await holdfast({ cwd, env: { DATABASE_URL: 'postgres://u@127.0.0.1:1/d' } }, 'backup')
    expect(away.code).toBe(4)
    expect(backupFilesIn(cwd)).toEqual([])
  })

  it('7: a flipped byte', async () => {
    expect((await holdfast({ cwd, env: urlOf('small') }, 'backup', '--to', 'disk')).code).toBe(0)
    const [file = ''] = backupFilesIn(join(cwd, 'disk')).filter((each) => each.endsWith('.dump.zst'))
    const bytes = readFileSync(file)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const { code, out } = await holdfast({ cwd }, 'verify', '--from', 'disk', '--json')
    expect(code).toBe(7)
    expect(JSON.parse(out)).toMatchObject({ status: 'corrupt', backups: [{ copies: [{ status: 'corrupt' }] }] })
    const into = ['--from', 'disk', '--into', server.url('damaged'), '--yes']
    const unasked = await holdfast({ cwd }, 'restore', ...into)
    expect([unasked.code, unasked.err]).toEqual([
      8,
      expect.stringContaining('The one backup that was found is not whole'),
    ])
    const { backups } = JSON.parse(out) as { backups: { id: string }[] }
    const restore = await holdfast({ cwd }, 'restore', backups[0]?.id ?? '', ...into)
    expect([restore.code, restore.err]).toEqual([6, expect.stringMatching(/(data are|is) damaged/)])
    expect(await server.sql('postgres', "SELECT FROM pg_database WHERE datname = 'damaged'")).toEqual([])
  })

  it('8: nothing matched', async () => {
    expect((await holdfast({ cwd, env: urlOf('small') }, 'backup')).code).toBe(0)
    expect((await holdfast({ cwd }, 'show', 'ffffffff')).code).toBe(8)
  })

  it('9: one of two storages is down, and the other has the backup', async () => {
    writeFileSync(join(cwd, 'file'), '')
    const backup = await holdfast({ cwd, env: urlOf('small') }, 'backup', '--to', './file', '--to', './disk')
    expect(backup.out).toMatch(/is partial(.|\n)*\.\/file {2}failed: (.|\n)*\.\/disk {2}complete/)
    expect(backup.code).toBe(9)
    const list = await holdfast({ cwd }, 'list', '--from', './disk', '--from', './file')
    expect(list.code).toBe(9)
    rmSync(join(cwd, 'file'))
    const next = await holdfast({ cwd, env: urlOf('small') }, 'backup', '--to', './file', '--to', './disk')
    expect([next.code, next.out]).toEqual([0, expect.stringContaining('./file: filled in')])
  })
})

describe('an interrupted backup', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends cleanly on %s, with 130, and leaves nothing',
    async (signal) => {
      let sent = false
      const env = urlOf('big')
      const { code, out, err } = await holdfast(
        {
          cwd,
          env,
          onError: (text, child) => {
            // In the middle: some bytes are on the disk already.
            if (sent || !/"type":"bytes"/.test(text)) return
            sent = true
            child.kill(signal)
          },
        },
        ...['backup', '--to', './disk', '--json', '--progress', 'json'],
      )
      expect(code).toBe(130)
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'aborted' } })
      expect(err).toContain('Interrupted; stopping cleanly')
      expect(backupFilesIn(join(cwd, 'disk'))).toEqual([])
      expect(filesIn(join(cwd, 'disk'))).toEqual([join(cwd, 'disk/.holdfast/storage.json')])
      const list = await holdfast({ cwd }, 'list', '--from', './disk', '--json')
      expect(JSON.parse(list.out).backups).toEqual([])
      await expect.poll(dumpsRunning, { timeout: 20_000 }).toBe(0)
    },
  )

  it('ends cleanly on Ctrl-C at a terminal, where a bar stood', async () => {
    let typed = false
    const { code, out } = await holdfastAtTerminal(
      {
        cwd,
        env: urlOf('big'),
        onOutput: (text, child) => {
          if (typed || !/ MiB\/s /.test(text)) return
          typed = true
          child.stdin?.write('\u0003')
        },
      },
      ...['backup', '--to', './disk'],
    )
    expect(out).toMatch(/default backing up {2}[\d.]+ .iB {2}[\d.]+ .iB\/s {2}0:0/)
    expect(out).toContain('Interrupted. The backup that was running does not count')
    expect(code).toBe(130)
    expect(backupFilesIn(join(cwd, 'disk'))).toEqual([])
  })

  it('shows the size of the last backup as the end of its bar', async () => {
    const env = urlOf('big')
    expect((await holdfast({ cwd, env }, 'backup', '--to', './disk')).code).toBe(0)
    const { code, out } = await holdfastAtTerminal({ cwd, env }, 'backup', '--to', './disk')
    expect(code).toBe(0)
    expect(out).toMatch(/default backing up.*[█░]{3}.*~\d+%.* of about /)
    expect(out).toContain('complete')
  })
})

describe('the program itself', () => {
  it('starts quickly', async () => {
    // The best of several: what else runs on the machine must not count.
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 40 && best >= 150; round++) {
      const started = performance.now()
      expect((await holdfast({ cwd }, '--version')).code).toBe(0)
      best = Math.min(best, performance.now() - started)
    }
    console.log(`holdfast --version: ${best.toFixed(0)} ms`)
    expect(best).toBeLessThan(150)
  })

  it('loads nothing before it knows that this Node fits', () => {
    const source = readFileSync(bin, 'utf8')
    expect(source).not.toMatch(/^\s*import[\s{*]/m)
    expect(source).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('ends quietly when its output is closed', async () => {
    const line = `"${process.execPath}" "${bin}" --help | head -1`
    const { code, out, err } = await runProgram('sh', ['-c', line], { cwd })
    expect([code, out, err]).toEqual([0, expect.stringContaining('Usage'), '']) // the code is that of `head`
  })
})

async function dumpsRunning(): Promise<number> {
  const [row] = await server.sql<{ count: number }>(
    'postgres',
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = 'big'`,
  )
  return row?.count ?? -1
}
