import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** The built command line. */
export const bin: string = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

/** What the processes remember of storages: nothing of the user's own. */
const state = mkdtempSync(join(tmpdir(), 'holdfast-state-'))
afterAll(() => rmSync(state, { recursive: true, force: true })) // of the file whose tests import this

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Where and with what a process runs. */
export interface ProcessOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Is told of what the process says on standard error, as it comes. */
  readonly onError?: (text: string, child: ChildProcess) => void
  /** The same for standard output, which at a terminal is everything. Standard input then stays open. */
  readonly onOutput?: (text: string, child: ChildProcess) => void
  readonly input?: string
}

/** Runs `holdfast` as a process of its own, with nothing in its environment but `PATH` and what is given. */
export function holdfast(options: ProcessOptions, ...argv: string[]): Promise<Ended> {
  return runProgram(process.execPath, [bin, ...argv], options)
}

/** What a process finds where it is given nothing. Node keeps what it has compiled: hundreds of starts take a while. */
function ownEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE, XDG_STATE_HOME: state }
}

/** Runs a program to its end. */
export async function runProgram(program: string, argv: readonly string[], options: ProcessOptions): Promise<Ended> {
  const child = spawn(program, argv, { cwd: options.cwd, env: { ...ownEnvironment(), ...options.env } })
  const out: Buffer[] = []
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk)
    options.onOutput?.(Buffer.concat(out).toString(), child)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk
    options.onError?.(err, child)
  })
  if (!options.onOutput) child.stdin.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: Buffer.concat(out).toString(), err }
}

/** Runs `holdfast` at a pseudo-terminal of 100 columns, typing `input` into it. */
export function holdfastAtTerminal(options: ProcessOptions, ...argv: string[]): Promise<Ended> {
  const command = [process.execPath, bin, ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const line = `stty cols 100 rows 30; ${command}`
  return runProgram('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    ...options,
    env: { TERM: 'xterm-256color', ...options.env },
  })
}

/** Every file below a directory. */
export function filesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

/** Files of backups: neither identity nor leases. */
export function backupFilesIn(directory: string): string[] {
  return filesIn(directory).filter((file) => !file.includes('/.holdfast/'))
}
