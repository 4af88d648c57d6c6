import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/** Every `package.json` of the workspace, as paths relative to the checkout; the root's comes first. */
export function packageFiles() {
  const groups = ['packages', 'tests', 'examples'].flatMap((group) => {
    const folder = join(root, group)
    return existsSync(folder) ? readdirSync(folder).map((name) => `${group}/${name}/package.json`) : []
  })
  return ['package.json', ...groups.sort(), 'bench/package.json'].filter((file) => existsSync(join(root, file)))
}

/**
 * The parsed JSON of a file of the checkout.
 *
 * @param {string} file
 */
export function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

/** The folders of the packages that go to the registry, for example `packages/core`. */
export function publicPackages() {
  return packageFiles()
    .filter((file) => file.startsWith('packages/') && readJson(file).private !== true)
    .map((file) => file.slice(0, -'/package.json'.length))
}
