import { BackupError, percentDecoded } from '@holdfast/core'

/**
 * What a part of a URL stands for.
 *
 * @param what - The URL, for people, without a password: `The URL of the dump`.
 * @throws {BackupError} `config-invalid`.
 */
export function urlText(encoded: string, what: string): string {
  const text = percentDecoded(encoded)
  if (text !== undefined) return text
  throw new BackupError('config-invalid', {
    message: `${what} holds a wrong percent-encoding`,
    hint: 'Write % as %25, or name a file by its path.',
  })
}
