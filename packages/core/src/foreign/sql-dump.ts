import { BackupError } from '../backup-error.js'
import type { DumpFacts } from './dump-facts.js'

/**
 * What the head of an SQL dump says of it: the dump programs sign what they write.
 *
 * @returns `undefined` for text that none of them wrote.
 * @throws {BackupError} `restore-refused` for a dump that cannot be restored into one database.
 */
export function sqlDumpOf(text: string, display: string): DumpFacts | undefined {
  const lines = text.slice(0, signatureWithin)
  if (/^-- PostgreSQL database cluster dump$/m.test(lines))
    throw ofSeveral(display, 'pg_dumpall', 'psql -f FILE postgres')
  if (/^-- PostgreSQL database dump$/m.test(lines)) return postgresDump(text, display)
  if (/^-- (?:MySQL|MariaDB) dump /m.test(lines) || /^\/\*(?:!999999\\-|M!999999\\-)/.test(lines))
    return mysqlDump(text, display)
  if (/^PRAGMA foreign_keys=OFF;\r?\nBEGIN TRANSACTION;/.test(lines)) {
    throw new BackupError('restore-refused', {
      message: `${display} holds the statements of an SQLite database, as .dump of sqlite3 writes them`,
      hint: 'Make a database of it, and restore that: sqlite3 new.db < FILE; holdfast restore ./new.db --into sqlite:./app.db',
    })
  }
  return undefined
}

/** The signature stands at the top, after a sandbox line or `\restrict`. */
const signatureWithin = 4096

/** What comes before the first rows, which may hold any text. */
function beforeRows(text: string): string {
  return text.replace(/^(?:COPY|INSERT|REPLACE) [\s\S]*/m, '')
}

function postgresDump(whole: string, display: string): DumpFacts {
  const text = beforeRows(whole)
  if (/^\\connect /m.test(text)) {
    throw new BackupError('restore-refused', {
      message: `${display} makes the database that it was made from (pg_dump --create), and would not go where --into says`,
      hint: 'Dump again without --create, or restore it by hand with psql, if you trust it.',
    })
  }
  return {
    engine: 'postgres',
    part: { name: 'sql', mediaType: 'application/sql', trailer: '-- PostgreSQL database dump complete' },
    serverVersion: /^-- Dumped from database version (.+)$/m.exec(text)?.[1]?.trim() ?? '',
    tools: toolOf('pg_dump', /^-- Dumped by pg_dump version (\S+)/m.exec(text)?.[1]),
    // Drops come first, before anything is made: a dump that has them must not be appended.
    options: { format: 'plain', ...(/^(?:DROP |ALTER TABLE .* DROP )/m.test(text) && { clean: true }) },
    recover: 'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE"',
  }
}

function mysqlDump(whole: string, display: string): DumpFacts {
  const text = beforeRows(whole)
  if (/^-- Current Database: |^USE `/m.test(text)) throw ofSeveral(display, 'mysqldump --databases', 'mysql < FILE')
  // `MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for …`, since 11 `MariaDB dump 10.20-11.8.9-MariaDB, for …`.
  const signature = /^-- (?<kind>MySQL|MariaDB) dump [\d.]+(?:\s+Distrib |-)(?<version>[^,\s]+)/m.exec(text)?.groups
  if (!signature) {
    throw new BackupError('restore-refused', {
      message: `${display} was made without comments: whether its end is there cannot be told`,
      hint: 'Dump again without --compact and --skip-comments; or restore it by hand, if you trust it: mysql DATABASE < FILE',
    })
  }
  const isMariadb = /MariaDB|^\/\*M?!999999/m.test(text)
  const database = /^-- Host: .*?Database: (.+)$/m.exec(text)?.[1]?.trim()
  return {
    engine: 'mysql',
    part: { name: 'sql', mediaType: 'application/sql', trailer: '-- Dump completed' },
    ...(database !== undefined && { database }),
    serverVersion: /^-- Server version\s+(.+)$/m.exec(text)?.[1]?.trim() ?? '',
    tools: toolOf(signature.kind === 'MySQL' ? 'mysqldump' : 'mariadb-dump', signature.version),
    options: { format: 'sql', flavour: isMariadb ? 'mariadb' : 'mysql' },
    recover: 'mysql "$DATABASE"',
  }
}

function toolOf(name: string, version: string | undefined): Record<string, string> {
  return version === undefined ? {} : { [name]: version }
}

function ofSeveral(display: string, program: string, byHand: string): BackupError {
  return new BackupError('restore-refused', {
    message: `${display} names its databases itself (${program}), and would not go where --into says`,
    hint: `Take a dump of one database, or restore it by hand, if you trust it: ${byHand}`,
  })
}
