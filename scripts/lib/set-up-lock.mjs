import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './root.mjs'
import { say } from './run.mjs'

/**
 * Does work while no other process does such work in this checkout: `npm start` beside `npm test` must not install or
 * build what the other is building. Who comes second says once whom it waits for; what a dead process left is taken over.
 *
 * @template Result
 * @param {() => Promise<Result>} work
 * @param {{ file?: string, everyMs?: number }} [options]
 * @returns {Promise<Result>}
 */
export async function aloneInCheckout(work, { file = join(root, '.cache/set-up.lock'), everyMs = 200 } = {}) {
  const own = `${process.pid} ${startOf(process.pid)}`
  let told = false
  while (!take(file, own)) {
    const holder = holderOf(file)
    if (holder === undefined) continue
    if (!isAlive(holder)) {
      remove(file, holder)
      continue
    }
    if (!told) say(`• waiting for another set-up or build in this checkout (pid ${holder.split(' ')[0]})`)
    told = true
    await sleep(everyMs)
  }
  try {
    return await work()
  } finally {
    remove(file, own)
  }
}

/**
 * Makes the lock: a link that leads nowhere and says who holds it, as that is there whole or not at all.
 *
 * @param {string} file
 * @param {string} own
 * @returns {boolean} `false` where there is one.
 */
function take(file, own) {
  mkdirSync(dirname(file), { recursive: true })
  try {
    symlinkSync(own, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes the lock away if it is still whose it was. It is looked at under another name: between a look and a removal in
 * place, it could have become somebody else's.
 *
 * @param {string} file
 * @param {string} holder
 */
function remove(file, holder) {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    const found = readlinkSync(aside)
    if (found !== holder) take(file, found)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error // somebody else has found it stale
  } finally {
    rmSync(aside, { force: true })
  }
}

/** @param {string} file */
function holderOf(file) {
  try {
    return readlinkSync(file)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined // given up just now
    throw error
  }
}

/** @param {string} holder */
function isAlive(holder) {
  const [pid, start] = holder.split(' ')
  const found = startOf(Number(pid))
  return found !== undefined && found === start
}

/**
 * What tells a process from a later one with its number, where the system says it: Linux. `undefined` where it is gone.
 *
 * @param {number} pid
 */
function startOf(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return undefined
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8') // fields follow the name, which is in brackets: proc(5)
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : (fields[18] ?? '')
  } catch {
    return ''
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
}
