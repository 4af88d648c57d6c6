import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest, PreflightFindings } from '@holdfast/core'
import type { Session } from './session.js'

const nothing: PreflightFindings = { problems: [], warnings: [] }

/**
 * Compares what is free on the server's disk with what a backup needs. A server does not tell what is free: that can
 * only be seen where its data directory lies on this machine and may be read. Elsewhere nothing is said.
 */
export async function freeSpaceFindings(session: Session, manifest: Manifest): Promise<PreflightFindings> {
  const directory = await localDataDirectory(session)
  const free = directory === undefined ? undefined : await freeBytes(directory)
  return free === undefined ? nothing : compareSpace(free, manifest)
}

/**
 * @param free - Bytes.
 * @returns A problem where it cannot be enough: a full disk stops the whole server. A warning where it may not be.
 */
export function compareSpace(free: number, { parts, options }: Manifest): PreflightFindings {
  const stored = parts.reduce((sum, part) => sum + part.storedBytes, 0)
  const plain = parts.reduce((sum, part) => sum + (part.plainBytes ?? 0), 0)
  const database = typeof options.databaseBytes === 'number' ? options.databaseBytes : plain
  const least = Math.max(stored, database / 2) // half of a database may have been dead rows
  const text = `The server's disk has ${mebibytes(free)} free, and the database of the backup took ${mebibytes(Math.max(database, stored))}`
  if (free < least) {
    return { problems: [{ message: text, hint: 'Make room first: a full disk would stop the server.' }], warnings: [] }
  }
  return free < database * 1.1 ? { problems: [], warnings: [text] } : nothing
}

async function localDataDirectory(session: Session): Promise<string | undefined> {
  const { host, port } = session.endpoint
  if (!host.startsWith('/') && !['localhost', '127.0.0.1', '::1'].includes(host)) return undefined
  // Of `current_setting` a role without rights would get an error, here no row.
  const [row] = await session.query<{ directory: string; started: number }>(
    `select setting as directory, extract(epoch from pg_postmaster_start_time())::float8 as started
       from pg_settings where name = 'data_directory'`,
  )
  return row && (await isOfServer(row.directory, port, row.started)) ? row.directory : undefined
}

/** A tunnel or a container can end at this machine's address too: its directory is not ours. */
async function isOfServer(directory: string, port: number, started: number): Promise<boolean> {
  try {
    const lines = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')
    return Number(lines[3]) === port && Math.abs(Number(lines[2]) - started) <= 5
  } catch {
    return false
  }
}

async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(bytes < 1024 ** 2 * 10 ? 1 : 0)} MiB`
}
