import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'
import { runOrThrow, say } from './run.mjs'
import { aloneInCheckout } from './set-up-lock.mjs'
import { filesBelow, hashOf, isStamped, writeStamp } from './stamp.mjs'
import { publicPackages } from './workspace.mjs'

/**
 * Builds every package, unless that was done for exactly these sources.
 *
 * @param {{ env: NodeJS.ProcessEnv }} tools
 */
export function buildPackages(tools) {
  return aloneInCheckout(() => buildUnlessDone(tools))
}

/** @param {{ env: NodeJS.ProcessEnv }} tools */
async function buildUnlessDone({ env }) {
  const packages = publicPackages()
  const stampFile = join(root, '.cache/built')
  const value = hashOf(['tsconfig.base.json', 'tsup.base.ts', 'pnpm-lock.yaml', ...packages.flatMap(inputs)])
  if (isStamped(stampFile, value) && packages.every((folder) => existsSync(join(root, folder, 'dist')))) return
  say('• building all packages')
  await runOrThrow('pnpm', ['-r', '--workspace-concurrency=2', '--filter=./packages/*', 'run', 'build'], { env })
  writeStamp(stampFile, value)
}

/** @param {string} folder */
function inputs(folder) {
  const own = ['package.json', 'tsup.config.ts', 'tsconfig.build.json'].map((name) => `${folder}/${name}`)
  return [...own, ...filesBelow(`${folder}/src`, (path) => !path.endsWith('.test.ts'))]
}
