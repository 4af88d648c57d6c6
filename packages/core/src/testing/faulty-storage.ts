import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { named } from '../storage/named-storage.js'
import type { Storage, StoredObject } from '../storage/storage.js'
import { withBody } from '../storage/with-body.js'
import { chooseFaults, type FaultPlan } from './faults/choose-fault.js'
import type { Fault, StorageOperation } from './faults/fault.js'
import { collect, eachTwice, faultyBytes, faultyStream, untilAborted, wholeItems } from './faults/stream-faults.js'

/** A fault that was put into a call. */
export interface InjectedFault {
  readonly operation: StorageOperation
  /** The key, or the prefix of a list. */
  readonly key: string
  readonly fault: Fault
}

/** A storage with faults in it. */
export interface FaultyStorage extends Storage {
  /** What went wrong so far, in order. */
  readonly injected: readonly InjectedFault[]
}

/**
 * Puts faults into any storage: those of a list of rules, or random ones that a seed repeats.
 * An error that is not given is `unavailable` and retryable.
 *
 * @example The second put is stored and its answer lost; the data come back with a bit flipped
 * ```ts
 * import { faultyStorage, memoryStorage } from '@holdfast/core/testing'
 *
 * const storage = faultyStorage(memoryStorage(), [
 *   { on: 'put', nth: 2, fault: { kind: 'error-after' } },
 *   { on: 'get', key: /\.dump/, fault: { kind: 'corrupt', at: 4096 } },
 * ])
 * ```
 */
export function faultyStorage(inner: Storage, plan: FaultPlan): FaultyStorage {
  const injected: InjectedFault[] = []
  const choose = chooseFaults(plan)

  const next = (operation: StorageOperation, key: string): Fault | undefined => {
    const fault = choose(operation, key)
    if (fault) injected.push({ operation, key, fault })
    return fault
  }

  return {
    ...named(inner, inner.name),
    injected,

    put: (key, body, options, ctx) =>
      withBody(body, ctx.signal, async (chunks) => {
        const fault = next('put', key)
        if (!fault) return inner.put(key, chunks, options, ctx)
        const error = errorOf(fault, 'put', key)
        await before(fault, error, ctx)
        const spoilt = spoilBody(chunks, fault, error, ctx)
        const stored = await inner.put(key, spoilt, options, ctx)
        if (fault.kind === 'error-after') throw error
        return fault.kind === 'duplicate' ? inner.put(key, inner.get(key, undefined, ctx), options, ctx) : stored
      }),

    async *get(key, range, ctx): ByteStream {
      const fault = next('get', key)
      const stream = inner.get(key, range, ctx)
      if (!fault) return yield* stream
      const error = errorOf(fault, 'get', key)
      await before(fault, error, ctx)
      yield* faultyBytes(stream, fault, error, ctx)
    },

    async *list(prefix, ctx): AsyncIterable<StoredObject> {
      const fault = next('list', prefix)
      const objects = inner.list(prefix, ctx)
      if (!fault) return yield* objects
      const error = errorOf(fault, 'list', prefix)
      await before(fault, error, ctx)
      if (fault.kind === 'reorder') yield* (await collect(objects)).reverse()
      else if (fault.kind === 'duplicate') yield* eachTwice(objects)
      else yield* faultyStream(objects, fault, error, wholeItems(), ctx)
    },

    stat: async (key, ctx) => {
      const fault = next('stat', key)
      const stat = await around(fault, 'stat', key, ctx, () => inner.stat(key, ctx))
      return stat && fault?.kind === 'short' ? { ...stat, size: fault.keep ?? stat.size - 1 } : stat
    },

    delete: (key, ctx) => around(next('delete', key), 'delete', key, ctx, () => inner.delete(key, ctx)),
  }
}

/** Faults of a call that answers once. */
async function around<Result>(
  fault: Fault | undefined,
  operation: StorageOperation,
  key: string,
  ctx: RunContext,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!fault) return work()
  const error = errorOf(fault, operation, key)
  await before(fault, error, ctx)
  if (fault.kind === 'stall') await untilAborted(ctx.signal)
  if (fault.kind === 'duplicate') await work()
  const result = await work()
  if (fault.kind === 'error-after') throw error
  return result
}

/** What goes wrong before the storage within is asked. */
async function before(fault: Fault, error: unknown, ctx: RunContext): Promise<void> {
  if (fault.kind === 'error-before') throw error
  if (fault.kind === 'slow') await ctx.clock.sleep(fault.ms, ctx.signal)
}

/** The whole put goes wrong after its work or twice; every other fault is in the bytes. */
function spoilBody(body: ByteStream, fault: Fault, error: unknown, ctx: RunContext): ByteStream {
  return fault.kind === 'error-after' || fault.kind === 'duplicate' ? body : faultyBytes(body, fault, error, ctx)
}

function errorOf(fault: Fault, operation: StorageOperation, key: string): unknown {
  if ('error' in fault) return fault.error
  return new BackupError('unavailable', {
    message: `A fault was put here: ${fault.kind} in ${operation} of ${key}`,
    retryable: true,
  })
}
