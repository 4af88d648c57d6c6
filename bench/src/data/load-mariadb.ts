import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DataSet } from '#bench/data/data-set'
import { blocksOf } from '#bench/data/load'
import type { Mariadb } from '#bench/mariadb'
import { workDir } from '#bench/paths'
import { hundredsOfMB, type Size } from '#bench/sizes'

/** What PostgreSQL's types of the data sets are in MariaDB. COPY's text format is that of LOAD DATA, too. */
const types: readonly (readonly [postgres: RegExp, mariadb: string])[] = [
  [/\btimestamptz\b/g, 'varchar(30)'],
  [/\binet\b/g, 'varchar(45)'],
  [/\bjsonb\b/g, 'json'],
  [/\bemail text\b/g, 'email varchar(190)'],
  [/\bstate text\b/g, 'state varchar(20)'],
  [/\btext\b/g, 'mediumtext'],
  [/\blines\b/g, 'order_lines'], // a reserved word
  [/\bnumeric\b/g, 'decimal'],
]

/** Makes sure that the database of a data set in a size is there, and returns its name. */
export async function ensureMariadbDatabase(data: DataSet, size: Size, server: Mariadb): Promise<string> {
  const name = `${data.name}_${size.toLowerCase()}_v${data.version}`
  const there = `SELECT schema_name FROM information_schema.schemata WHERE schema_name = '${name}'`
  if ((await server.sql('mysql', there)) === name) return name
  const making = `${name}_making`
  process.stderr.write(`making the MariaDB database ${name}\n`)
  await server.sql('mysql', `DROP DATABASE IF EXISTS ${making}; CREATE DATABASE ${making} CHARACTER SET utf8mb4`)
  const file = join(workDir, 'rows.tsv')
  for (const table of data.tables) {
    const columns = types.reduce((text, [from, to]) => text.replace(from, to), table.columns)
    const rows = Math.round(table.rowsPer100MB * hundredsOfMB[size])
    await pipeline(Readable.from(blocksOf(table, rows)), createWriteStream(file))
    await server.sql(making, `CREATE TABLE ${table.name} (${columns})`)
    await server.sql(making, `LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${table.name} CHARACTER SET utf8mb4`)
    for (const statement of table.afterwards) await server.sql(making, statement)
  }
  await rm(file)
  // The name says that it is whole: tables move to it once all are filled.
  const moves = data.tables.map((table) => `${making}.${table.name} TO ${name}.${table.name}`).join(', ')
  await server.sql('mysql', `CREATE DATABASE ${name} CHARACTER SET utf8mb4; RENAME TABLE ${moves}`)
  await server.sql('mysql', `DROP DATABASE ${making}`)
  return name
}
