/** Backups that this process is reading, by their ids: retention leaves them alone. */
export interface InUse {
  has(id: string): boolean
  /** Until it is disposed of. */
  hold(id: string): Disposable
}

export function trackUse(): InUse {
  const holders = new Map<string, number>()
  const add = (id: string, by: number): void => {
    const count = (holders.get(id) ?? 0) + by
    if (count > 0) holders.set(id, count)
    else holders.delete(id)
  }
  return {
    has: (id) => holders.has(id),
    hold(id) {
      add(id, 1)
      return { [Symbol.dispose]: () => add(id, -1) }
    },
  }
}
