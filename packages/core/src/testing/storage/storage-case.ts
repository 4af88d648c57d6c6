import type { RunContext } from '../../run-context.js'
import type { Storage } from '../../storage/storage.js'

/** What a case works on. */
export interface StorageCaseEnv {
  readonly storage: Storage
  /** Where the case may write: unlike that of any other case or run, ends in `/`, at most 100 bytes. */
  readonly prefix: string
  readonly ctx: RunContext
  /** Bytes that a `simulate` case puts. Default 5 GiB. */
  readonly simulateBytes?: number
}

/**
 * One promise of the storage contract. Plain data: a test runner, and `holdfast storage check`, run the same list.
 * A case rejects with an `AssertionError`, or with what the storage threw, when the promise is broken; it removes what
 * it wrote either way.
 */
export interface StorageCase {
  /** What is promised, for example `put: a body that fails midway leaves no object`. Unique. */
  readonly name: string
  /** Takes many requests or megabytes: worth skipping on a metered line. */
  readonly heavy?: boolean
  /**
   * Puts `simulateBytes`. Meant for a storage whose far end counts bytes and throws them away; run elsewhere it
   * needs that much room.
   */
  readonly simulate?: boolean
  /**
   * A broken promise deserves a warning, not a refusal: some providers cannot keep it, and the keys that Holdfast
   * writes are unique without it.
   */
  readonly advisory?: boolean
  run(env: StorageCaseEnv): Promise<void>
}

/** Makes a case that removes everything under its prefix when it is over, and keeps the first error. */
export function storageCase(
  name: string,
  body: (env: StorageCaseEnv) => Promise<void>,
  traits: Pick<StorageCase, 'heavy' | 'simulate' | 'advisory'> = {},
): StorageCase {
  return {
    name,
    ...traits,
    async run(env) {
      try {
        await body(env)
      } catch (error) {
        await removeAll(env).catch(() => {}) // the first error is the one worth reading
        throw error
      }
      await removeAll(env)
    },
  }
}

async function removeAll({ storage, prefix, ctx }: StorageCaseEnv): Promise<void> {
  const keys: string[] = []
  for await (const object of storage.list(prefix, ctx)) keys.push(object.key)
  await inParallel(keys, (key) => storage.delete(key, ctx))
}

/** Calls `work` for each item, a few at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}
