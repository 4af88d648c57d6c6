import type { BackupRecord } from '@holdfast/core'

/** Controls, line ends of every kind, and marks that turn the direction of text. */
const steering = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A name from outside as it may be shown: what would begin a row of its own, or steer the terminal, is spelt out. */
export function visible(text: string): string {
  return text.replace(steering, (found) => {
    return short[found] ?? `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  })
}

/** The same of a text that may be of several lines, such as the message of an error. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

/** JSON with the same characters escaped: its strings keep what they say, and a terminal is told nothing. */
export function visibleJson(json: string): string {
  return json.replace(steering, (found) => (found === '\n' ? found : visible(found)))
}

/** A backup whose names, label, warnings and problems can be shown: who wrote its manifest is not known. */
export function visibleBackup(backup: BackupRecord): BackupRecord {
  const { label, manifest } = backup
  const warnings = backup.warnings.map(visible)
  return {
    ...backup,
    job: visible(backup.job),
    database: visible(backup.database),
    engine: visible(backup.engine),
    ...(label !== undefined && { label: visible(label) }),
    warnings,
    copies: backup.copies.map((copy) => ({
      ...copy,
      ...(copy.problem !== undefined && { problem: visible(copy.problem) }),
    })),
    manifest: {
      ...manifest,
      engine: visible(manifest.engine),
      serverVersion: visible(manifest.serverVersion),
      holdfast: visible(manifest.holdfast),
      recover: visible(manifest.recover),
      parts: manifest.parts.map(({ codec, cipher, ...part }) => ({
        ...part,
        codec: visible(codec),
        ...(cipher && { cipher: { id: visible(cipher.id), keyIds: cipher.keyIds.map(visible) } }),
      })),
      warnings,
    },
  }
}
