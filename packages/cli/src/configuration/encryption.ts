import { age, BackupError, type Cipher, gpg, type JobConfig } from '@holdfast/core'
import {
  booleanOf,
  type EnvironmentVariable,
  environmentVariables as known,
  type ReadVariable,
} from './environment-variables.js'

/**
 * What the command line, and then the environment, say about encryption; `undefined` where they say nothing and the
 * job's own setting holds.
 *
 * @throws {BackupError} `config-invalid`, also where it is not said for whom, or a variable is set and empty: a backup
 *   that was to be encrypted is never made in plain.
 */
export function encryptionFrom(
  { ageRecipient }: { readonly ageRecipient?: readonly string[] | undefined },
  read: ReadVariable,
): Cipher | undefined {
  if (ageRecipient) return age({ recipients: ageRecipient })
  const empty: string[] = []
  const filled = (variable: EnvironmentVariable): string | undefined => {
    const value = read(variable)
    if (value?.trim() !== '') return value
    empty.push(variable.name)
    return undefined
  }
  const asked = filled(known.encrypt)
  const alias = asked === undefined || isSwitch(asked) ? undefined : asked
  const wanted = asked === undefined || alias !== undefined ? undefined : booleanOf(asked, known.encrypt.name)
  const recipients = agreed(
    filled(known.ageRecipients),
    alias && isAge(alias) ? alias : undefined,
    known.ageRecipients.name,
  )
  const gpgRecipient = agreed(
    filled(known.gpgRecipient),
    alias && !isAge(alias) ? alias : undefined,
    known.gpgRecipient.name,
  )
  const found = recipients ?? gpgRecipient
  if (recipients !== undefined && gpgRecipient !== undefined) {
    throw disagreeing(
      known.ageRecipients.name,
      known.gpgRecipient.name,
      'A backup is encrypted with one of age and gpg.',
    )
  }
  if (wanted === false && found !== undefined) {
    const name = recipients === undefined ? known.gpgRecipient.name : known.ageRecipients.name
    throw disagreeing(known.encrypt.name, name, 'Nothing was written. Unset the one that is not meant.')
  }
  if (wanted === true && found === undefined) {
    throw new BackupError('config-invalid', {
      message: `${known.encrypt.name} asks for encryption, but it is not said for whom`,
      hint: `Nothing was written. Set ${known.ageRecipients.name} (holdfast key generate makes a key) or ${known.gpgRecipient.name}.`,
    })
  }
  if (wanted === undefined && found === undefined && empty[0] !== undefined) throw emptied(empty[0])
  if (recipients !== undefined) {
    const identities = read(known.ageIdentity)
    return age({ recipients, ...(identities !== undefined && { identities }) })
  }
  return gpgRecipient === undefined ? undefined : gpg({ recipients: gpgRecipient.split(/[\s,]+/).filter(Boolean) })
}

/**
 * Jobs that are encrypted as `holdfast backup` does it, for a command that takes backups on the way.
 *
 * @throws {BackupError} as {@link encryptionFrom}.
 */
export function withEncryption(
  jobs: Readonly<Record<string, JobConfig>>,
  read: ReadVariable,
): Readonly<Record<string, JobConfig>> {
  const encrypt = encryptionFrom({}, read)
  if (!encrypt) return jobs
  return Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, { ...job, encrypt }]))
}

/** `true` and the like, as simpler scripts have it; anything else names recipients. */
function isSwitch(value: string): boolean {
  return /^(?:true|false|yes|no|on|off|1|0)$/i.test(value.trim())
}

function isAge(value: string): boolean {
  return value.trim().startsWith('age1')
}

function agreed(value: string | undefined, alias: string | undefined, name: string): string | undefined {
  if (value === undefined || alias === undefined || value === alias) return value ?? alias
  throw disagreeing(name, known.encrypt.name, 'Keep one of them.')
}

function emptied(name: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The environment variable ${name} (or ${name}_FILE, or its file) is set and empty: it may be meant that backups are encrypted, but not for whom`,
    hint: 'Nothing was written. Give it a recipient; or unset it, or set BACKUP_ENCRYPT=false, for backups as the configuration has them.',
  })
}

function disagreeing(one: string, other: string, hint: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The environment variables ${one} and ${other} disagree`,
    hint,
  })
}
