import type { CipherCase } from './cipher/cipher-case.js'
import { damageCases } from './cipher/damage-cases.js'
import { roundTripCases } from './cipher/round-trip-cases.js'
import { streamCases } from './cipher/stream-cases.js'

/**
 * The law that every cipher keeps, as plain data. It needs no test runner. A case that hangs ends when the context it
 * was given aborts.
 *
 * @example In the tests of a cipher
 * ```ts
 * import { createRunContext } from '@holdfast/core'
 * import { cipherContract, toyCipher } from '@holdfast/core/testing'
 *
 * for (const { name, run } of cipherContract) {
 *   await run({
 *     cipher: toyCipher({ key: 'ours' }),
 *     writeOnly: toyCipher({ key: 'ours', canDecrypt: false }),
 *     stranger: toyCipher({ key: 'theirs' }),
 *     secrets: ['ours'],
 *     ctx: createRunContext(),
 *   })
 *   console.log(`kept: ${name}`)
 * }
 * ```
 */
export const cipherContract: readonly CipherCase[] = [...roundTripCases, ...damageCases, ...streamCases]
