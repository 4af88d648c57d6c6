import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import type { ConnectionKeywords } from './connection-url.js'

/**
 * The keywords of a section of the connection service file.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 * @throws {BackupError} `config-invalid` when no file has such a section.
 */
export function readService(name: string, files: readonly string[] = serviceFiles()): ConnectionKeywords {
  for (const file of files.filter((path) => existsSync(path))) {
    const section = sectionOf(readFileSync(file, 'utf8'), name)
    if (section) return section
  }
  throw new BackupError('config-invalid', {
    message: `There is no PostgreSQL service ${JSON.stringify(name)}`,
    hint: `Add a section [${name}] to one of ${files.join(', ')}.`,
  })
}

function serviceFiles(): readonly string[] {
  const own = process.env.PGSERVICEFILE ?? join(homedir(), '.pg_service.conf')
  const system = process.env.PGSYSCONFDIR ?? '/etc/postgresql-common'
  return [own, join(system, 'pg_service.conf')]
}

function sectionOf(text: string, name: string): ConnectionKeywords | undefined {
  let found: Record<string, string> | undefined
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('[')) {
      if (found) return found
      if (line === `[${name}]`) found = {}
    } else if (found) {
      const [keyword, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]
      if (line.includes('=')) found[keyword.trim()] = value.trim()
    }
  }
  return found
}
