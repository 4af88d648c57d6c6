import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BackupError } from '@holdfast/core'

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
 * @throws {BackupError} `config-invalid` when the named one is not there.
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
    if (found !== undefined || directory === dirname(directory)) return found
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
