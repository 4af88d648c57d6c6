import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { promisify } from 'node:util'
import { findProgram } from '@holdfast/core'
import { findTools, type ToolName } from '@holdfast/driver-postgres'
import { type Finding, good, warning } from './finding.js'

const clients: readonly ToolName[] = ['pg_dump', 'pg_restore', 'psql']

/** Node, the client programs of PostgreSQL, and the compressor. */
export async function checkPrograms(): Promise<readonly Finding[]> {
  const node = good('Node.js', process.versions.node)
  return [node, ...(await Promise.all(clients.map(checkClient))), await checkZstd()]
}

async function checkClient(name: ToolName): Promise<Finding> {
  const found = await findTools(name)
  if (found.length === 0) {
    return warning(name, 'not found', 'Needed for PostgreSQL: apt-get install postgresql-client, or set binDir.')
  }
  // `/bin` is often a link to `/usr/bin`.
  const distinct = new Map(found.toReversed().map((tool) => [realpathSync(tool.path), tool]))
  const described = [...distinct.values()].reverse().map(({ version, path }) => `${version.split(' ')[0]} (${path})`)
  return good(name, described.join(', '))
}

async function checkZstd(): Promise<Finding> {
  const path = findProgram('zstd')
  if (path === undefined) {
    return warning('zstd', 'not found; compression runs within Holdfast, slower', 'apt-get install zstd')
  }
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 10_000 })
  return good('zstd', `${/v(\d[\d.]*)/.exec(stdout)?.[1] ?? 'unknown version'} (${path})`)
}
