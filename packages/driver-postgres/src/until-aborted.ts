import type { RunContext } from '@holdfast/core'

/** Rejects as soon as the signal fires: the driver below may not notice that its socket is gone. */
export async function untilAborted<T>(work: Promise<T>, { signal }: RunContext): Promise<T> {
  work.catch(() => {}) // begun before this call: after an abort nobody else would see it fail
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
