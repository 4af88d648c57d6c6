import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './root.mjs'

/**
 * A hash over the names and bytes of files.
 *
 * @param {readonly string[]} files - Paths relative to the checkout.
 */
export function hashOf(files) {
  const hash = createHash('sha256')
  for (const file of [...files].sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/**
 * True when `stampFile` was written by {@link writeStamp} with the same value.
 *
 * @param {string} stampFile
 * @param {string} value
 */
export function isStamped(stampFile, value) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === value
}

/**
 * Remembers that the work which `value` describes is done.
 *
 * @param {string} stampFile
 * @param {string} value
 */
export function writeStamp(stampFile, value) {
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, value)
}

/**
 * Every file below a folder, except in node_modules and dist; paths are relative to the checkout.
 *
 * @param {string} directory
 * @param {(path: string) => boolean} [accepts]
 * @returns {string[]}
 */
export function filesBelow(directory, accepts = () => true) {
  const start = join(root, directory)
  if (!existsSync(start)) return []
  return readdirSync(start, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .flatMap((entry) => {
      const path = relative(root, join(start, entry.name))
      if (entry.isDirectory()) return filesBelow(path, accepts)
      return accepts(path) ? [path] : []
    })
}
