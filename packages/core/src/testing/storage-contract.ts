import { randomUUID } from 'node:crypto'
import { abortCases } from './storage/abort-cases.js'
import { atomicCases } from './storage/atomic-cases.js'
import { keyCases } from './storage/key-cases.js'
import { listCases } from './storage/list-cases.js'
import { putCases } from './storage/put-cases.js'
import { readCases } from './storage/read-cases.js'
import { resourceCases } from './storage/resource-cases.js'
import type { StorageCase } from './storage/storage-case.js'

/**
 * The law that every storage keeps, as plain data.
 *
 * A storage's own tests run it, and `holdfast storage check` runs the same list against a user's bucket. It needs no
 * test runner. A case that hangs ends when the context it was given aborts.
 *
 * @example In the tests of a storage
 * ```ts
 * import { createRunContext } from '@holdfast/core'
 * import { memoryStorage, storageCasePrefix, storageContract } from '@holdfast/core/testing'
 *
 * for (const { name, run, simulate } of storageContract) {
 *   if (simulate) continue // 5 GiB: only where the far end counts bytes and throws them away
 *   await run({ storage: memoryStorage(), prefix: storageCasePrefix(), ctx: createRunContext() })
 *   console.log(`kept: ${name}`)
 * }
 * ```
 */
export const storageContract: readonly StorageCase[] = [
  ...putCases,
  ...atomicCases,
  ...readCases,
  ...listCases,
  ...keyCases,
  ...abortCases,
  ...resourceCases,
]

/** A prefix that nothing else uses, for one case. */
export function storageCasePrefix(): string {
  return `holdfast-check/${randomUUID()}/`
}
