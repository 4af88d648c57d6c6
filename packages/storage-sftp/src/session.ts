import type { SFTPWrapper } from 'ssh2'
import { lost } from './errors.js'
import type { ResolvedSftpOptions } from './options.js'

/** Hands the answer of one request on. */
type Done<Result> = (error: Error | null | undefined, result?: Result) => void

/** One SFTP session over one connection. */
export interface Session {
  /** The directory of the storage as the server knows it, without links. Without a slash at its end. */
  readonly root: string
  readonly isLost: boolean
  /**
   * Makes a request. An abort throws `signal.reason` at once, whatever the server does; a connection that is lost, or
   * silent for the idle time, throws `unavailable`; a refusal of the server is thrown as the library gives it.
   *
   * @param late - Receives a result that came after an abort, to give it back.
   */
  call<Result>(
    issue: (sftp: SFTPWrapper, done: Done<Result>) => void,
    signal?: AbortSignal,
    late?: (result: Result) => void,
  ): Promise<Result>
}

/** A session that is being set up: the root comes last. */
export interface SessionControl {
  readonly call: Session['call']
  readonly isLost: boolean
  /** Fails everything that waits for an answer, and every later request. */
  lose(why: string, cause?: unknown): void
}

/**
 * Watches the requests of a session. While one waits, something must be answered within the idle time; what then
 * hangs is the connection, and `hangUp` ends it.
 */
export function watchSession(sftp: SFTPWrapper, options: ResolvedSftpOptions, hangUp: () => void): SessionControl {
  const waiting = new Set<(error: Error) => void>()
  let over: Error | undefined
  const watchdog = setTimeout(() => {
    if (waiting.size === 0 || over) return
    lose(`no answer for ${options.idleTimeout / 1000} s`)
    hangUp()
  }, options.idleTimeout).unref() // a connection that waits keeps the process alive by itself

  function lose(why: string, cause?: unknown): void {
    over ??= lost(options, why, cause)
    clearTimeout(watchdog)
    for (const fail of waiting) fail(over)
  }

  const call: Session['call'] = (issue, signal, late) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (over) return reject(over)
      let settled = false
      const settle = (): void => {
        settled = true
        waiting.delete(fail)
        signal?.removeEventListener('abort', onAbort)
      }
      const fail = (error: unknown): void => {
        settle()
        reject(error)
      }
      const onAbort = (): void => fail(signal?.reason)
      if (waiting.size === 0) watchdog.refresh()
      waiting.add(fail)
      signal?.addEventListener('abort', onAbort, { once: true })
      const done = (error: Error | null | undefined, result?: unknown): void => {
        if (!over) watchdog.refresh()
        if (settled) {
          if (!error) late?.(result as never)
        } else if (error && isAnswer(error)) fail(error)
        // Beneath an answer that never came is a connection that is gone, of which `lose` tells more.
        else if (error) fail(over ?? lost(options, error.message, error))
        else {
          settle()
          resolve(result as never)
        }
      }
      try {
        issue(sftp, done)
      } catch (error) {
        fail(error) // an extension that the server does not have
      }
    })

  return {
    call,
    lose,
    get isLost() {
      return over !== undefined
    },
  }
}

/** What a server answers has a status, a number; other errors are of the library. */
function isAnswer(error: Error): boolean {
  return typeof (error as Error & { code?: unknown }).code === 'number'
}
