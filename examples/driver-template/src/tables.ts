import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

// The engine: a directory with a file for each table, and a JSON document on each line of it. A real driver has a
// server or a library in this place.

/** Version of the engine. */
export const engineVersion = '1.0'

/** Names of the tables; `undefined` where there is no database. */
export async function tablesOf(directory: string): Promise<readonly string[] | undefined> {
  try {
    const files = await readdir(directory)
    return files
      .filter((file) => file.endsWith('.jsonl'))
      .map((file) => decodeURIComponent(file.slice(0, -6)))
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The file of a table. Names can hold anything; file names cannot. */
export function fileOf(directory: string, table: string): string {
  return join(directory, `${encodeURIComponent(table)}.jsonl`)
}

/** Bytes on disk. */
export async function bytesOf(directory: string, tables: readonly string[]): Promise<number> {
  const sizes = await Promise.all(tables.map(async (table) => (await stat(fileOf(directory, table))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
