import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Subject } from '#bench/bench'
import { holdfast, outDir } from '#bench/commands'
import { emptyOut } from '#bench/files'
import { measure } from '#bench/measure'

/** A database to restore into, made anew before each run. */
export interface RestoreTarget {
  readonly database: string
  /** A file with its URL, for `--into-file`. */
  readonly urlFile: string
  /** Makes it anew, empty. */
  empty(): Promise<void>
  /** @throws {Error} unless every table has as many rows as that of the source. */
  check(): Promise<void>
  drop(): Promise<void>
}

/** Backs a database up to a storage and gives a place to restore it to. */
export async function backUpForRestore(subject: Subject, storage: string, bench: Bench): Promise<RestoreTarget> {
  await emptyOut()
  await bench.sink.clear()
  await measure(holdfast(`backup --to ${storage}`, subject.database, bench))
  const database = 'restored'
  const urlFile = join(outDir, 'target-url')
  await writeFile(urlFile, bench.server.url(database, { password: true }), { mode: 0o600 })
  const counts = subject.data.tables.map((table) => `(SELECT count(*) FROM ${table.name})`)
  const rows = (name: string): Promise<string> => bench.server.sql(name, `SELECT ${counts.join(', ')}`)
  const expected = await rows(subject.database)
  const drop = async (): Promise<void> =>
    void (await bench.server.sql('postgres', `DROP DATABASE IF EXISTS ${database}`))
  return {
    database,
    urlFile,
    drop,
    async empty() {
      await drop()
      await bench.server.sql('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
      await bench.server.sql('postgres', 'CHECKPOINT') // what the run before has left to write is not this one's
    },
    async check() {
      const found = await rows(database)
      if (found !== expected) throw new Error(`Rows of the restored tables: ${found}, expected: ${expected}`)
    },
  }
}
