// Sets up what the checkout's commands need. Plain JavaScript without dependencies: it runs first, on Node 20 too.
import { pathToFileURL } from 'node:url'
import { buildPackages } from './lib/build.mjs'
import { installDependencies } from './lib/install.mjs'
import { say } from './lib/run.mjs'
import { aloneInCheckout } from './lib/set-up-lock.mjs'
import { ensureSystemPackages } from './lib/system-packages.mjs'
import { ensureTools, linkNode } from './lib/tools.mjs'

/**
 * Brings tools, system packages, dependencies and build up to date. What is there already is left alone, so a second
 * run is quick and needs no network.
 *
 * @param {{ purpose: 'start' | 'test' | 'bench', build?: boolean }} what `build: false` leaves the build to the caller.
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} The Node to go on with, and its environment.
 */
export async function bootstrap({ purpose, build = true }) {
  const started = Date.now()
  const tools = await aloneInCheckout(async () => {
    const found = await ensureTools()
    await ensureSystemPackages(purpose)
    await installDependencies(found)
    linkNode(found.node)
    return found
  })
  if (build) await buildPackages(tools)
  say(`• set up in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  return tools
}

/**
 * Runs a command's `main`, and turns what it throws into one line and exit code 1.
 *
 * @param {() => Promise<number>} main - Returns the exit code.
 */
export async function exitWith(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await exitWith(async () => {
    await bootstrap({ purpose: 'test' })
    return 0
  })
}
