import { BackupError } from '@holdfast/core'
import type { SFTPWrapper } from 'ssh2'
import type { Connection } from '../src/connection.js'
import type { Session } from '../src/session.js'

/** A request to the server, and the paths in it: `rename` with the old one and the new one, `unlink` with one. */
export interface Request {
  readonly name: string
  readonly paths: readonly string[]
}

type Issue = Parameters<Session['call']>[0]

/**
 * A connection that stops before the first request that `at` names, lets `meanwhile` happen, and goes on. With `die` it
 * does nothing any more from there on, as if its process had been killed.
 */
export function meddling(
  connection: Connection,
  at: (request: Request) => boolean,
  meanwhile: 'die' | (() => Promise<unknown>),
): Connection {
  let state: 'before' | 'after' | 'dead' = 'before'
  async function meddle(issue: Issue): Promise<void> {
    if (state === 'before' && at(requestOf(issue))) {
      state = meanwhile === 'die' ? 'dead' : 'after'
      if (meanwhile !== 'die') await meanwhile()
    }
    if (state === 'dead') throw new BackupError('unavailable', { message: 'killed' })
  }
  return {
    close: () => connection.close(),
    async lease(signal) {
      const { session, [Symbol.dispose]: release } = await connection.lease(signal)
      const call: Session['call'] = async (issue, ...rest) => {
        await meddle(issue as Issue)
        return await session.call(issue, ...rest)
      }
      return { session: { root: session.root, call, isLost: false }, [Symbol.dispose]: release }
    },
  }
}

/** What would be asked for; nothing is sent. */
function requestOf(issue: Issue): Request {
  const found = { name: '', paths: [] as string[] }
  const listening = new Proxy({} as SFTPWrapper, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        found.name = String(name)
        found.paths = args.filter((arg) => typeof arg === 'string')
      },
  })
  issue(listening, () => {})
  return found
}
