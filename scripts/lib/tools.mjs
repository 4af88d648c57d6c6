import { existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { root } from './root.mjs'
import { run, runOrThrow, say } from './run.mjs'

const minimumNode = { major: 22, minor: 18 }
const pnpmMajor = 12
const bin = join(root, '.tools/node_modules/.bin')

/**
 * Finds a Node that is new enough and a pnpm of the right major; installs what is missing into `.tools` through npm.
 *
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} The Node to run everything with, and an environment
 *   whose PATH finds it, pnpm and the workspace's programs first.
 */
export async function ensureTools() {
  const wanted = []
  const ownNode = isNewEnough(process.version)
  const node = ownNode ? process.execPath : join(bin, 'node')
  if (!ownNode && !isNewEnough(await versionOf(node))) wanted.push('node@24')

  const env = environment(node)
  if (!isPnpm(await versionOf('pnpm', env))) wanted.push(`pnpm@${pnpmMajor}`)
  if (wanted.length === 0) return { node, env }

  say(`• installing ${wanted.join(' and ')} into .tools (this Node is ${process.version})`)
  await runOrThrow('npm', ['install', '--prefix', join(root, '.tools'), '--no-audit', '--no-fund', ...wanted])
  if (!isNewEnough(await versionOf(node)) || !isPnpm(await versionOf('pnpm', env))) {
    throw new Error(`.tools holds no working ${wanted.join(' and ')}. Remove the folder .tools and run this again.`)
  }
  return { node, env }
}

/**
 * Lets `npx holdfast` work where the system's Node is too old: npx puts node_modules/.bin first on PATH, and the
 * starters that pnpm writes there prefer a `node` beside them.
 *
 * @param {string} node
 */
export function linkNode(node) {
  const link = join(root, 'node_modules/.bin/node')
  if (node === link || !node.startsWith(join(root, '.tools'))) return
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link)
  symlinkSync('../../.tools/node_modules/.bin/node', link)
}

/** @param {string} node */
function environment(node) {
  const first = [dirname(node), bin, join(root, 'node_modules/.bin')]
  return { ...process.env, PATH: [...first, process.env.PATH].join(delimiter) }
}

/** @param {string} command */
async function versionOf(command, env = process.env) {
  if (command.startsWith('/') && !existsSync(command)) return ''
  const { code, output } = await run(command, ['--version'], { env, quiet: true })
  return code === 0 ? output.trim() : ''
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > minimumNode.major || (major === minimumNode.major && minor >= minimumNode.minor)
}

/** @param {string} version */
function isPnpm(version) {
  return Number(version.split('.')[0]) === pnpmMajor
}
