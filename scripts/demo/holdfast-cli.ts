import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** How the program is run: where, with which variables, until when. */
export interface CliContext {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/**
 * Runs `holdfast … --json` as anyone would in the checkout, and returns what it prints. Messages go to stderr.
 *
 * @throws {Error} When it ends with another code than 0; the reason stands on stderr then.
 */
export async function holdfast(args: readonly string[], { cwd, env, signal }: CliContext): Promise<unknown> {
  signal.throwIfAborted()
  // A group of its own: Ctrl-C at the terminal reaches it once, from here, and it ends in its own time.
  const child = spawn('holdfast', [...args, '--json', '--quiet'], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const interrupt = (): void => void child.kill('SIGINT')
  signal.addEventListener('abort', interrupt)
  try {
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    signal.throwIfAborted()
    if (code !== 0) throw new Error(`holdfast ${args[0]} ended with exit code ${code}`)
    return JSON.parse(output)
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}
