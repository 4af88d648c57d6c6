/** The npm library `age-encryption`, as far as it is used: recipients, identities and the header that they fill. */
export type AgeLibrary = typeof import('./age-library-parts.js')

/** Loads it when the first backup is encrypted or decrypted, not before: most starts of Holdfast need none of it. */
export function loadAge(): Promise<AgeLibrary> {
  return import('./age-library-parts.js')
}
