import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { workDir } from '#bench/paths'

/** A PATH on which every program is but one: what a machine looks like where it was never installed. */
export async function pathWithout(program: string): Promise<string> {
  const folder = join(workDir, `path-without-${program}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const from of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of await readdir(from).catch(() => [])) {
      if (name !== program) await symlink(join(from, name), join(folder, name)).catch(() => {}) // an earlier one wins
    }
  }
  return folder
}
