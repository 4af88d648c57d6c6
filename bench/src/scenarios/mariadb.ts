import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Scenario } from '#bench/bench'
import { outDir, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { ensureMariadbDatabase } from '#bench/data/load-mariadb'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut, largestFile } from '#bench/files'
import { interleave, type Side } from '#bench/interleave'
import { type Mariadb, startMariadb } from '#bench/mariadb'
import { measure } from '#bench/measure'
import { holdfastBin } from '#bench/paths'
import type { Size } from '#bench/sizes'

/** What the driver gives mariadb-dump too, so that both sides do the same work. */
const flags = '--single-transaction --quick --routines --triggers --events --hex-blob --default-character-set=utf8mb4'

export const mariadbBackup: Scenario = {
  name: 'mariadb-backup',
  title: 'MariaDB: backup to disk against mariadb-dump | zstd -3 -T2 > file',
  run: (bench) =>
    onEach(bench, async ({ server, database, size }) => {
      const dump = `mariadb-dump --defaults-file="$CNF" ${flags} ${database}`
      const url = server.url(database)
      const samples = await interleave(
        {
          bare: { ...bare(`${dump} | zstd -q -3 -T2 > "$OUT/dump.zst"`, server), before: emptyOut },
          holdfast: { ...ours(`backup --to ${toDisk}`, url), before: emptyOut },
          'no inventory': { ...ours(`backup --inventory none --to ${toDisk}`, url), before: emptyOut },
        },
        bench,
      )
      const line = { scenario: 'mariadb-backup', data: shop.name, size }
      return [
        ratio(line, samples, { what: 'wall', ours: 'holdfast', theirs: 'bare', target: { atMost: 1.1 } }),
        ratio(line, samples, { what: 'CPU', ours: 'holdfast', theirs: 'bare', dimension: 'cpuSeconds' }),
        ratio(line, samples, { what: 'wall, without row counts', ours: 'no inventory', theirs: 'bare' }),
      ]
    }),
}

export const mariadbRestore: Scenario = {
  name: 'mariadb-restore',
  title: 'MariaDB: restore from disk into an empty database, against zstd -dc file | mariadb',
  run: (bench) =>
    onEach(bench, async ({ server, database, size }) => {
      await emptyOut()
      await measure(ours(`backup --to ${toDisk}`, server.url(database)))
      const { path } = await largestFile()
      const urlFile = join(outDir, 'target-url')
      await writeFile(urlFile, server.url('restored'), { mode: 0o600 })
      const around = await emptyTarget(server, database)
      const restore = `restore latest --from ${toDisk} --into-file '${urlFile}' --yes`
      const samples = await interleave(
        {
          bare: { ...bare(`zstd -dc '${path}' | mariadb --defaults-file="$CNF" restored`, server), ...around },
          holdfast: { ...ours(restore, server.url(database)), ...around },
        },
        bench,
      )
      await server.sql('mysql', 'DROP DATABASE restored')
      const line = { scenario: 'mariadb-restore', data: shop.name, size }
      return [
        ratio(line, samples, { what: 'wall', ours: 'holdfast', theirs: 'bare', target: { atMost: 1.05 } }),
        ratio(line, samples, { what: 'CPU', ours: 'holdfast', theirs: 'bare', dimension: 'cpuSeconds' }),
      ]
    }),
}

/** Makes the target anew before a run, and counts its rows afterwards. */
async function emptyTarget(server: Mariadb, source: string): Promise<Required<Pick<Side, 'before' | 'after'>>> {
  const rows = `SELECT ${shop.tables.map(({ name }) => `(SELECT count(*) FROM ${name})`).join(', ')}`
  const expected = await server.sql(source, rows)
  return {
    async before() {
      await server.sql('mysql', 'DROP DATABASE IF EXISTS restored; CREATE DATABASE restored CHARACTER SET utf8mb4')
    },
    async after() {
      const found = await server.sql('restored', rows)
      if (found !== expected) throw new Error(`Rows of the restored tables: ${found}, expected: ${expected}`)
    },
  }
}

interface Subject {
  readonly server: Mariadb
  readonly database: string
  readonly size: Size
}

async function onEach(bench: Bench, use: (subject: Subject) => Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  await using server = await startMariadb()
  const figures: Figure[] = []
  for (const size of bench.sizes ?? (['1GB'] as const)) {
    const database = await ensureMariadbDatabase(shop, size, server)
    figures.push(...(await use({ server, database, size })))
  }
  return figures
}

const ours = (args: string, url: string): Side => ({
  line: `'${process.execPath}' '${holdfastBin}' ${args}`,
  // The storages are emptied between runs: nothing may remember them.
  env: { DATABASE_URL: url, XDG_STATE_HOME: '/dev/null' },
})

const bare = (line: string, { defaultsFile }: Mariadb): Side => ({ line, env: { CNF: defaultsFile, OUT: outDir } })
