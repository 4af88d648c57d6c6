import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from '../lib/run.mjs'

/**
 * Where the servers are kept, about 1 GB. Not below a home directory: they run as a user who may not look in there.
 */
export const cache: string = process.env.HOLDFAST_MATRIX_CACHE ?? '/var/cache/holdfast/matrix'

/**
 * A folder of the cache, made once for each recipe. What was begun and not finished is made anew.
 *
 * @param name - Of the folder.
 * @param recipe - What it is made of: another text makes it anew.
 */
export async function cached(name: string, recipe: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name)
  const stamp = join(folder, '.recipe')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === recipe) return folder
  say(`• preparing ${name} in ${cache}`)
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o755 })
  await make(unfinished)
  writeFileSync(join(unfinished, '.recipe'), recipe)
  rmSync(folder, { recursive: true, force: true })
  renameSync(unfinished, folder)
  return folder
}
