import { exitCodes } from './exit-codes.js'
import { describeError } from './output/errors.js'
import { createScrubber } from './output/scrub.js'
import { run } from './run.js'
import type { World } from './world.js'

/** Ctrl-C, a request to end, and a terminal that was closed. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs the process's own command line, and ends the process. */
export async function main(): Promise<void> {
  process.noDeprecation = true // what a library tells programmers is nothing that a user could do
  process.stdout.on('error', endUnwritten)
  process.stderr.on('error', endUnwritten)
  let interrupted = false
  for (const signal of endings) process.on(signal, () => (interrupted = true))
  process.on('uncaughtException', (error) => {
    if (interrupted) return // the run is ending; nothing may keep it from cleaning up
    process.stderr.write(`${createScrubber().scrub(describeError(error, undefined, true))}\n`)
    process.exit(exitCodes.configuration)
  })
  const code = await run(process.argv.slice(2), processWorld())
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(code) // an idle connection must not hold the process
}

function processWorld(): World {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: {
      // process.stdin is made when it is first asked for; looking at it takes time.
      get isTTY() {
        return process.stdin.isTTY
      },
      setRawMode: (raw) => void process.stdin.setRawMode(raw),
      [Symbol.asyncIterator]: () => process.stdin.iterator({ destroyOnReturn: false }),
    },
    stdout: process.stdout,
    stderr: process.stderr,
    onInterrupt(listener) {
      for (const signal of endings) process.on(signal, listener)
      return () => {
        for (const signal of endings) process.off(signal, listener)
      }
    },
    interrupt: () => void process.emit('SIGINT'),
    exit: (code) => process.exit(code),
  }
}

/** `holdfast list | head` closes the pipe early: nothing to report, but not all was said either. Disks can be full. */
function endUnwritten({ code, message }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') process.exit(exitCodes.interrupted)
  const hint = 'What came out is not whole. Make room where it goes, and run the command again.'
  process.stderr.write(`Error: The output could not be written: ${message}\n  ${hint}\n`)
  process.exit(exitCodes.configuration)
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
