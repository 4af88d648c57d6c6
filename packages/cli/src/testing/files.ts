import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Every file below a directory, by its path from there. */
export function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** The stored dump of the first backup below a directory. */
export function dataOf(directory: string): string {
  const [found = ''] = filesIn(directory).filter((file) => /\.sql\.(zst|gz)$/.test(file) && !file.includes('globals'))
  return found
}
