import { connect, type OpenSession } from './connect.js'
import { lost } from './errors.js'
import type { ResolvedSftpOptions } from './options.js'
import type { Session } from './session.js'

/** Milliseconds that a connection rests before it is closed: it would keep the process alive. */
const restMs = 2000

/** A session on loan. Dispose of it when the operation is over. */
interface Lease extends Disposable {
  readonly session: Session
}

/** The one connection of a storage: made when it is needed, shared, made anew after it was lost. */
export interface Connection {
  lease(signal: AbortSignal): Promise<Lease>
  close(): Promise<void>
}

interface Attempt {
  readonly opening: Promise<OpenSession>
  opened?: OpenSession
  failed?: boolean
  end(): void
}

/** Nothing is asked of the network before the first lease. */
export function createConnection(options: ResolvedSftpOptions): Connection {
  let attempt: Attempt | undefined
  let users = 0
  let resting: NodeJS.Timeout | undefined

  function current(): Attempt {
    if (attempt && !attempt.failed && !attempt.opened?.session.isLost) return attempt
    attempt = begin(options)
    return attempt
  }

  function end(): void {
    clearTimeout(resting)
    attempt?.end()
    attempt = undefined
  }

  function release(): void {
    users -= 1
    if (users > 0) return
    if (attempt?.opened) resting = setTimeout(end, restMs)
    else end() // nobody waits for it any more
  }

  return {
    async lease(signal) {
      signal.throwIfAborted()
      clearTimeout(resting)
      users += 1
      let free = (): void => {
        free = () => {}
        release()
      }
      try {
        const { session } = await orAbort(current().opening, signal)
        return { session, [Symbol.dispose]: () => free() }
      } catch (error) {
        free()
        throw error
      }
    },
    async close() {
      end()
    },
  }
}

function begin(options: ResolvedSftpOptions): Attempt {
  const given = new AbortController()
  const attempt: Attempt = {
    opening: connect(options, given.signal),
    end() {
      given.abort(lost(options, 'it was closed'))
      attempt.opened?.hangUp()
    },
  }
  attempt.opening.then(
    (opened) => {
      attempt.opened = opened
      if (given.signal.aborted) opened.hangUp()
    },
    () => {
      attempt.failed = true
    },
  )
  return attempt
}

/** What `work` resolves to, unless the signal aborts first. */
async function orAbort<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
