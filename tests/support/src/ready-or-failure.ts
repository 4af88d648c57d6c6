import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** How a server tells that it is ready. */
export interface ReadySign {
  /** What the server is called when it did not start. */
  readonly server: string
  /** Part of the line of its log that says so. */
  readonly sign: string
  /** Gets the first lines, for whoever wants to read them later. */
  readonly log?: string[]
}

const mostLines = 2_000

/** Resolves to nothing once the server is ready, to what it said if it ends before. Keeps its log drained. */
export function readyOrFailure(
  child: ChildProcess,
  { server, sign, log = [] }: ReadySign,
): Promise<string | undefined> {
  const { stderr } = child
  if (!stderr) throw new Error('The server was started without a pipe for its log')
  const lines = createInterface({ input: stderr })
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      if (log.length < mostLines) log.push(line)
      if (line.includes(sign)) resolve(undefined)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', () => resolve(`${server} did not start:\n${log.join('\n')}`))
  })
}
