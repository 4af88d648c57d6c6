/** The operations into which faults can be put. */
export const storageOperations = ['put', 'get', 'stat', 'list', 'delete'] as const
/** One of {@link storageOperations}. */
export type StorageOperation = (typeof storageOperations)[number]

/**
 * What goes wrong. Sizes are bytes, or objects in a list.
 *
 * - `error-before`: an error, and nothing was done.
 * - `error-after`: the work is done, then the answer is lost: an error although the object is stored or deleted; a
 *   stream that throws in the place of its end.
 * - `error-midway`: an error after `after` bytes or objects (default 1). A put is cut off and leaves nothing.
 * - `short`: ends as if all were well, with only `keep` bytes or objects (default: all but the last). A put stores
 *   less than it was given, a stat says less than there is: what the law forbids and a bad disk does.
 * - `slow`: takes `ms` longer by the context's clock: before the work, and before each chunk or object.
 * - `stall`: does nothing more after `after` bytes or objects (default 0) until the signal aborts.
 * - `corrupt`: one bit of the byte at offset `at` is flipped (default 0; of the last byte if the stream is shorter).
 * - `reorder`: the first two chunks change places (a single one is cut in two); a list comes backwards.
 * - `duplicate`: the first chunk, or each object of a list, comes twice; a put, stat or delete is done twice, as by a
 *   retry after a lost answer, so that an exclusive put finds its own object.
 */
export type Fault =
  | { readonly kind: 'error-before' | 'error-after'; readonly error?: unknown }
  | { readonly kind: 'error-midway'; readonly after?: number; readonly error?: unknown }
  | { readonly kind: 'short'; readonly keep?: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'stall'; readonly after?: number }
  | { readonly kind: 'corrupt'; readonly at?: number }
  | { readonly kind: 'reorder' }
  | { readonly kind: 'duplicate' }

/** The name of a {@link Fault}. */
export type FaultKind = Fault['kind']

/** The faults that make sense in each operation. */
export interface FaultKinds {
  readonly put: FaultKind
  readonly get: FaultKind
  readonly list: Exclude<FaultKind, 'corrupt'>
  readonly stat: Exclude<FaultKind, 'corrupt' | 'error-midway' | 'reorder'>
  readonly delete: Exclude<FaultKind, 'corrupt' | 'error-midway' | 'reorder' | 'short'>
}

/** {@link FaultKinds} as a list: the matrix to go through in a test. */
export const faultsOf: { readonly [Operation in StorageOperation]: readonly FaultKinds[Operation][] } = {
  put: ['error-before', 'error-after', 'error-midway', 'short', 'slow', 'stall', 'corrupt', 'reorder', 'duplicate'],
  get: ['error-before', 'error-after', 'error-midway', 'short', 'slow', 'stall', 'corrupt', 'reorder', 'duplicate'],
  list: ['error-before', 'error-after', 'error-midway', 'short', 'slow', 'stall', 'reorder', 'duplicate'],
  stat: ['error-before', 'error-after', 'short', 'slow', 'stall', 'duplicate'],
  delete: ['error-before', 'error-after', 'slow', 'stall', 'duplicate'],
}

/** A {@link Fault} that makes sense in an operation. */
export type FaultIn<Operation extends StorageOperation> = Fault & { readonly kind: FaultKinds[Operation] }
