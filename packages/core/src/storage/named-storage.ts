import type { Storage } from './storage.js'

/** The same storage under the name that a configuration gives it. */
export function named(storage: Storage, name: string): Storage {
  return {
    name,
    display: storage.display,
    isLocal: storage.isLocal ?? false,
    put: (...given) => storage.put(...given),
    get: (...given) => storage.get(...given),
    stat: (...given) => storage.stat(...given),
    list: (...given) => storage.list(...given),
    delete: (...given) => storage.delete(...given),
    ...(storage.freeSpace && { freeSpace: storage.freeSpace.bind(storage) }),
    ...(storage.sweepUnfinished && { sweepUnfinished: storage.sweepUnfinished.bind(storage) }),
    ...(storage.close && { close: storage.close.bind(storage) }),
  }
}
