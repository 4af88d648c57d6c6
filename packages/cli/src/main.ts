import { exitCodes } from './exit-codes.js'
import { run } from './run.js'
import type { World } from './world.js'

/** Runs the process's own command line, and ends the process. */
export async function main(): Promise<void> {
  process.stdout.on('error', endQuietlyOnClosedPipe)
  process.stderr.on('error', endQuietlyOnClosedPipe)
  const code = await run(process.argv.slice(2), processWorld())
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(code) // an idle connection must not hold the process
}

function processWorld(): World {
  return {
    env: process.env,
    cwd: process.cwd(),
    get stdin() {
      return process.stdin // made when it is first asked for
    },
    stdout: process.stdout,
    stderr: process.stderr,
    onInterrupt(listener) {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    exit: (code) => process.exit(code),
  }
}

/** `holdfast list | head` closes the pipe early: nothing to report, but not all was said either. */
function endQuietlyOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.interrupted)
  throw error
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
