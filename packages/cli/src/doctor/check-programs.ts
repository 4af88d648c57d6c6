import { realpathSync } from 'node:fs'
import { askProgram, type ClientProgram, findProgram, type JobConfig, minimalEnvironment } from '@holdfast/core'
import { type Finding, failure, good, warning } from './finding.js'

/** What doctor looks at in a job to tell which programs it needs. */
export type NeedsPrograms = Pick<JobConfig, 'source' | 'encrypt'>

/** A program of an engine, under any of its names. */
interface Client {
  readonly about: string
  readonly install: string
  find(binDir: string | undefined): Promise<readonly ClientProgram[]>
}

const postgres = (name: 'pg_dump' | 'pg_restore' | 'psql'): Client => ({
  about: name,
  install: 'Needed for PostgreSQL: apt-get install postgresql-client, or set binDir (--bin-dir).',
  find: async (binDir) => (await import('@holdfast/driver-postgres')).findTools(name, binDir),
})

const mysql = (name: 'dump' | 'client', about: string): Client => ({
  about,
  install:
    "Needed for MySQL and MariaDB: apt-get install the server's own, mysql-client or mariadb-client; or set binDir (--bin-dir).",
  find: async (binDir) => (await import('@holdfast/driver-mysql')).findTools(name, binDir),
})

const clients: Readonly<Record<string, readonly Client[]>> = {
  postgres: [postgres('pg_dump'), postgres('pg_restore'), postgres('psql')],
  mysql: [mysql('dump', 'mysqldump or mariadb-dump'), mysql('client', 'mysql or mariadb')],
}

/** Node and the compressor, which every job uses. */
export async function checkRuntime(): Promise<readonly Finding[]> {
  const missing = warning('zstd', 'not found; compression runs within Holdfast, slower', 'apt-get install zstd')
  return [good('Node.js', process.versions.node), await checkProgram('zstd', missing)]
}

/**
 * The programs that these jobs need, whatever their servers; without jobs, those of every engine.
 *
 * @param binDir - Where those of engines are, where they are not looked for.
 */
export async function checkPrograms(jobs: readonly NeedsPrograms[], binDir?: string): Promise<readonly Finding[]> {
  const engines = new Set(jobs.length > 0 ? jobs.map(({ source }) => source.engine) : Object.keys(clients))
  const ciphers = new Set(jobs.map(({ encrypt }) => encrypt?.id))
  const needed = Object.entries(clients).flatMap(([engine, programs]) => (engines.has(engine) ? programs : []))
  return [
    ...(await Promise.all(needed.map((client) => checkClient(client, binDir)))),
    ...(engines.has('sqlite') ? [good('SQLite', 'runs within Node.js; no program is needed')] : []),
    ...(ciphers.has('age') ? [await checkProgram('age', noAge)] : []),
    ...(ciphers.has('gpg') ? [await checkProgram('gpg', noGpg)] : []),
  ]
}

const noAge = warning(
  'age',
  'not found; Holdfast encrypts and decrypts without it',
  'To restore without Holdfast: apt-get install age',
)
const noGpg = warning(
  'gpg',
  'not found on the PATH; it encrypts and decrypts',
  'apt-get install gnupg, or say where it is: gpg({ program })',
)

async function checkClient({ about, install, find }: Client, binDir: string | undefined): Promise<Finding> {
  try {
    const found = await find(binDir)
    if (found.length === 0) return warning(about, `not found${binDir === undefined ? '' : ` in ${binDir}`}`, install)
    // `/bin` is often a link to `/usr/bin`.
    const distinct = new Map(found.toReversed().map((tool) => [realpathSync(tool.path), tool]))
    return good(about, [...distinct.values()].reverse().map(describeProgram(about)).join(', '))
  } catch (error) {
    return failure(about, error)
  }
}

/** Version and path, and the name where it does not go without saying. */
function describeProgram(about: string): (program: ClientProgram) => string {
  return ({ name, version, path }) => `${name === about ? '' : `${name} `}${version.split(' ')[0]} (${path})`
}

async function checkProgram(name: string, missing: Finding): Promise<Finding> {
  const path = findProgram(name)
  if (path === undefined) return missing
  try {
    const says = await askProgram(path, ['--version'], minimalEnvironment())
    if (says === undefined) return warning(name, `${path} does not run`, `See what it says: ${path} --version`)
    return good(name, `${/\d+(?:\.\d+)+/.exec(says)?.[0] ?? 'unknown version'} (${path})`)
  } catch (error) {
    return failure(name, error)
  }
}
