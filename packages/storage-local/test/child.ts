import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The command that runs `put-child.ts` on the sources. */
export function putCommand(...args: readonly string[]): string[] {
  const conditions = '--conditions=holdfast-source'
  return [
    process.execPath,
    conditions,
    '--no-warnings',
    '--import',
    here('run-sources.mjs'),
    here('put-child.ts'),
    ...args,
  ]
}

/** Starts a command, its output piped and its errors shown. */
export function start([program = '', ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What a command prints until it ends. */
export async function outputOf(command: readonly string[]): Promise<string> {
  const child = start(command)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  return output
}
