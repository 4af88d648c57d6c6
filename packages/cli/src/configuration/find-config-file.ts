import { lstatSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BackupError } from '@holdfast/core'
import { distrust } from './distrust.js'

/** Names of config files, in the order of preference within a directory. */
const configFileNames: readonly string[] = [
  'holdfast.config.ts',
  'holdfast.config.mts',
  'holdfast.config.js',
  'holdfast.config.mjs',
  'holdfast.config.json',
  'holdfast.config.yaml',
  'holdfast.config.yml',
]

/**
 * Finds the config file: the one that was named, else the first found from `cwd` upward.
 *
 * @returns Its absolute path; `undefined` if none was named and there is none.
 * @throws {BackupError} `config-invalid` when the named one is not there, or the one that was found may be anybody's.
 */
export function findConfigFile(named: string | undefined, cwd: string): string | undefined {
  if (named !== undefined) {
    const path = resolve(cwd, named)
    if (isFile(path)) return path
    throw new BackupError('config-invalid', {
      message: `There is no config file ${path}`,
      hint: 'Check the path given with --config.',
    })
  }
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const found = configFileNames.map((name) => join(directory, name)).find(isFile)
    if (found !== undefined) requireTrusted(found, cwd)
    if (found !== undefined || directory === dirname(directory)) return found
  }
}

/** This user's own, root's, and those of whoever owns the directory that this user has chosen to work in are taken. */
function requireTrusted(path: string, cwd: string): void {
  if (process.getuid === undefined) return
  const trusted = [process.getuid(), 0, statSync(cwd).uid]
  const reason = distrust([lstatSync(path), statSync(path)], trusted) // the link, and what it leads to
  if (reason === undefined) return
  throw new BackupError('config-invalid', {
    message: `The config file ${path} was found, and not used: ${reason}`,
    hint: `If you trust it, name it: --config ${path}. Otherwise work in another directory.`,
  })
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
