import { BackupError } from '../backup-error.js'

/** Most bytes of a key in UTF-8. Leaves room for a prefix within the 1,024 bytes of S3. */
export const maxKeyBytes = 512

/**
 * Refuses a key that some storage could not keep, or that would leave its root.
 * A key is relative, `/`-separated, at most {@link maxKeyBytes} UTF-8 bytes; no segment is empty, `.` or `..`, longer
 * than 200 bytes (room for a temp suffix within the 255 of file systems), or holds a control character or backslash.
 *
 * @throws {BackupError} `invalid-key`.
 */
export function checkKey(key: string): void {
  const reason = whyInvalid(key)
  if (reason) throw new BackupError('invalid-key', { message: `The object key ${JSON.stringify(key)} ${reason}` })
}

/** Whether {@link checkKey} accepts a name: a storage may hold foreign objects whose names no key can be. */
export function isKey(key: string): boolean {
  return whyInvalid(key) === undefined
}

function whyInvalid(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (!key.isWellFormed()) return 'is not well-formed Unicode'
  if (Buffer.byteLength(key) > maxKeyBytes) return `is longer than ${maxKeyBytes} bytes`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(key)) return 'holds a control character or a backslash'
  for (const segment of key.split('/')) {
    if (segment === '') return 'has an empty segment'
    if (segment === '.' || segment === '..') return 'leaves its place'
    if (Buffer.byteLength(segment) > 200) return 'has a segment longer than 200 bytes'
  }
  return undefined
}
