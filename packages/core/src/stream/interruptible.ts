/** Work that one event can cut short. */
export interface Interruptible {
  /** From now on `until` rejects with `reason`. The first call counts. */
  interrupt(reason: unknown): void
  /** Settles as `work` does, or rejects as soon as there was an interruption. One call at a time. */
  until<T>(work: Promise<T>): Promise<T>
}

/**
 * Races one piece of work after another against one event.
 *
 * Not `Promise.race`: that would hang a reaction on the event's promise for every chunk of a stream, and a long
 * stream has millions.
 */
export function createInterruptible(): Interruptible {
  let interruption: { readonly reason: unknown } | undefined
  let reject: (reason: unknown) => void = () => {}
  return {
    interrupt(reason) {
      interruption ??= { reason }
      reject(interruption.reason)
    },
    until: (work) =>
      new Promise((resolve, rejectThis) => {
        reject = rejectThis
        work.then(resolve, rejectThis)
        if (interruption !== undefined) reject(interruption.reason)
      }),
  }
}
