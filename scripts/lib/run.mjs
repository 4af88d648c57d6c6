import { spawn } from 'node:child_process'
import { root } from './root.mjs'

/**
 * Prints one line about what is being done.
 *
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`${line}\n`)
}

// `npm start | head` closes the pipe early: what is under way still has to end well, unheard.
for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)

/** @param {NodeJS.ErrnoException} error */
function ignoreClosedPipe(error) {
  if (error.code !== 'EPIPE') throw error
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] Default: the checkout.
 * @property {NodeJS.ProcessEnv} [env] Default: this process's.
 * @property {boolean} [quiet] Keeps the output instead of showing it.
 * @property {number} [timeoutMs] After this time the whole process group is killed.
 */

/**
 * Runs a program without standard input and waits for its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>} `code` is 127 when the program does not exist, 124 after a
 *   time-out and 128 when a signal ended it; `output` is stdout and stderr as they came, empty unless `quiet`.
 */
export function run(command, args, { cwd = root, env = process.env, quiet = false, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const shown = quiet ? 'pipe' : 'inherit'
    // A time-out has to end grandchildren too, and a group is the way to reach them.
    const detached = timeoutMs !== undefined
    const child = spawn(command, args, { cwd, env, detached, stdio: ['ignore', shown, shown] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }

    const watch = detached ? watchGroup(child.pid ?? 0, timeoutMs) : passSignals(child)
    /** @param {number} code */
    const finish = (code) => {
      const timedOut = watch.stop()
      resolve({ code: timedOut ? 124 : code, output })
    }
    child.on('error', (error) => {
      output += `${command}: ${error.message}\n`
      finish(127)
    })
    child.on('close', (code) => finish(code ?? 128))
  })
}

/**
 * {@link run} that shows what the program prints only when it fails, and then throws.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export async function runOrThrow(command, args, options = {}) {
  const { code, output } = await run(command, args, { ...options, quiet: true })
  if (code === 0) return output
  throw new Error(`${output.trimEnd()}\n${[command, ...args].join(' ')} ended with code ${code}`)
}

/**
 * Lets a child end in its own time: this process stays until then, and passes on what was sent to it alone.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignals(child) {
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => void child.kill(signal)
  process.on('SIGINT', pass)
  process.on('SIGTERM', pass)
  return {
    /** Ends the watch; there is no time-out here. */
    stop() {
      process.off('SIGINT', pass)
      process.off('SIGTERM', pass)
      return false
    },
  }
}

/**
 * Kills a process group after a time, and passes Ctrl-C on to it.
 *
 * @param {number} group
 * @param {number} timeoutMs
 */
function watchGroup(group, timeoutMs) {
  let timedOut = false
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    try {
      if (group > 0) process.kill(-group, signal)
    } catch {
      // Already gone.
    }
  }
  const timer = setTimeout(() => {
    timedOut = true
    end('SIGKILL')
  }, timeoutMs)
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  return {
    /** Ends the watch; true when the time was over. */
    stop() {
      clearTimeout(timer)
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
      return timedOut
    },
  }
}
