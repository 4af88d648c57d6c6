import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { Secret } from '../secret.js'
import { age } from './age.js'
import { readIdentities } from './age-identities.js'
import { loadAge } from './age-library.js'
import { parseAgeOptions } from './age-options.js'
import type { CipherValue } from './cipher-value.js'

/** A key pair of age. */
export interface AgeKey {
  /** The secret half, `AGE-SECRET-KEY-1…`. */
  readonly identity: Secret
  /** The public half, `age1…`. */
  readonly recipient: string
}

/**
 * Makes a key pair.
 *
 * @example
 * ```ts
 * import { generateAgeKey } from '@holdfast/core'
 *
 * const { identity, recipient } = await generateAgeKey()
 * console.log(`encrypt for ${recipient}; keep the identity elsewhere (${identity})`)
 * ```
 */
export async function generateAgeKey(): Promise<AgeKey> {
  const { generateX25519Identity, identityToRecipient } = await loadAge()
  const identity = await generateX25519Identity()
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) }
}

/**
 * The recipients of identities.
 *
 * @throws {BackupError} `config-invalid`, or `wrong-key` when the passphrase does not open them.
 */
export async function ageRecipientsOf(
  identities: CipherValue | readonly CipherValue[],
  passphrase?: Secret | undefined,
): Promise<readonly string[]> {
  const library = await loadAge()
  const keys = await readIdentities(parseAgeOptions({ identities, passphrase }), library)
  return Promise.all(keys.map((key) => library.identityToRecipient(key as string)))
}

/** A short text under a passphrase, in the armor that can be mailed and printed. `age -d` opens it. */
export async function lockText(text: string, passphrase: Secret, workFactor?: number): Promise<string> {
  const { armor } = await loadAge()
  const cipher = age({ passphrase, workFactor })
  return armor.encode(await readAll(cipher.encrypt(streamOf(Buffer.from(text)), createRunContext())))
}
