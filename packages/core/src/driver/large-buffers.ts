import { spawnSync } from 'node:child_process'
import type { CommandLine } from './die-with-parent.js'
import { findProgram } from './find-program.js'

let stdbuf: string | false | undefined

/**
 * Wraps a command so that C's standard streams gather 64 KiB, what a pipe holds, instead of 4 KiB. pg_dump writes a
 * gigabyte in 250,000 pieces otherwise, and each may wake whoever waits at the other end of its pipe. Needs `stdbuf`
 * of GNU coreutils; without it the command is returned as it is.
 */
export function withLargeBuffers({ command, args }: CommandLine): CommandLine {
  stdbuf ??= usableStdbuf()
  return stdbuf === false ? { command, args } : { command: stdbuf, args: [...sizes, command, ...args] }
}

const sizes = ['-i65536', '-o65536']

function usableStdbuf(): string | false {
  const program = process.platform === 'linux' ? findProgram('stdbuf') : undefined
  if (program === undefined) return false
  // Where its library does not fit, the loader says so on standard error, and the program runs as ever.
  const { status, stderr } = spawnSync(program, [...sizes, program, '--version'], { encoding: 'utf8', env: {} })
  return status === 0 && stderr === '' && program
}
