import { BackupError } from '../backup-error.js'

/** An age file that was changed, cut off, or is none. */
export function damagedAge(reason: string, cause?: unknown): BackupError {
  return new BackupError('corrupt', {
    message: `The age-encrypted data are damaged: ${reason}`,
    hint: 'Use another copy of this backup, or an older one; `holdfast verify` tells which are whole.',
    cause,
  })
}

/** No identity fits. A changed file cannot be told from one for somebody else as long as its beginning was changed. */
export function noMatchingIdentity(): BackupError {
  return new BackupError('wrong-key', {
    message: 'None of the age identities (or the passphrase) that are configured opens this backup',
    hint: 'The manifest (`holdfast show`) names the recipients: use the identity of one of them. If it is the right one, the beginning of this copy is damaged; `holdfast verify` tells.',
  })
}

/** A host that can write and never read. */
export function writeOnly(): BackupError {
  return new BackupError('wrong-key', {
    message: 'The backup is encrypted with age, and this host has recipients alone: it can write and never read',
    hint: 'Restore where the identity is: --identity FILE on the command line, or `identities` of age({ … }).',
  })
}
