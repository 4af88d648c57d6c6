import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'
import { runOrThrow, say } from './run.mjs'
import { hashOf, isStamped, writeStamp } from './stamp.mjs'
import { packageFiles } from './workspace.mjs'

/**
 * Installs the dependencies as the lock file says, unless that was done for exactly these files.
 *
 * @param {{ env: NodeJS.ProcessEnv }} tools
 */
export async function installDependencies({ env }) {
  const stampFile = join(root, 'node_modules/.holdfast-installed')
  const value = hashOf([...packageFiles(), 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
  if (isStamped(stampFile, value) && existsSync(join(root, 'node_modules/.modules.yaml'))) return
  say('• installing dependencies (pnpm install --frozen-lockfile)')
  // CI answers pnpm's questions: there is no one to ask.
  await runOrThrow('pnpm', ['install', '--frozen-lockfile'], { env: { ...env, CI: 'true' } })
  writeStamp(stampFile, value)
}
