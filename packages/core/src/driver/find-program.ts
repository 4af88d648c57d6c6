import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Finds a program as a shell would: the first executable file of that name in `directories`.
 *
 * @param directories - Where to look, in order. Default: the directories of `PATH`.
 * @returns Its path, or `undefined` when there is none.
 */
export function findProgram(name: string, directories: readonly string[] = pathDirectories()): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isProgram)
}

/** Whether `path` is a file that this user may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The directories of `PATH`, in their order. */
export function pathDirectories(): readonly string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '')
}
