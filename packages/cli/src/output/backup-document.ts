import type { BackupRecord, Manifest, ManifestPart } from '@holdfast/core'

/** A backup as `--json` prints it. Sizes in bytes, times in UTC. */
export type BackupDocument = Omit<BackupRecord, 'manifest' | 'base'> & { readonly cipher?: ManifestPart['cipher'] }

/** What programs need to know of a backup; the manifest is for `show`. */
export function backupDocument({ manifest, base: _, ...backup }: BackupRecord): BackupDocument {
  const cipher = cipherOf(manifest)
  return { ...backup, ...(cipher && { cipher }) }
}

/** How a backup is encrypted, and for whom; `undefined` if it is not. */
export function cipherOf({ parts }: Manifest): ManifestPart['cipher'] {
  return parts.find(({ cipher }) => cipher)?.cipher
}
