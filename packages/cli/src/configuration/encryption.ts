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
 * @param own - That setting.
 * @throws {BackupError} `config-invalid`, also where nobody says for whom, or a variable is set, but empty, and the job
 *   has no setting: a backup that was to be encrypted is never made in plain.
 */
export function encryptionFrom(
  { ageRecipient }: { readonly ageRecipient?: readonly string[] | undefined },
  read: ReadVariable,
  own?: Cipher,
): Cipher | undefined {
  if (ageRecipient) return age({ recipients: ageRecipient })
  const demand = demandIn(read)
  requireAgreement(demand)
  if (!own) requireSomebody(demand)
  const { ageRecipients, gpgRecipient } = demand
  if (ageRecipients !== undefined) {
    const identities = read(known.ageIdentity)
    return age({ recipients: ageRecipients, ...(identities !== undefined && { identities }) })
  }
  return gpgRecipient === undefined ? undefined : gpg({ recipients: gpgRecipient.split(/[\s,]+/).filter(Boolean) })
}

/** What the environment says about encryption. */
interface Demand {
  /** Whether backups are to be encrypted, where that is said with yes or no. */
  readonly wanted: boolean | undefined
  readonly ageRecipients: string | undefined
  readonly gpgRecipient: string | undefined
  /** A variable that is set to nothing. */
  readonly empty: string | undefined
}

function demandIn(read: ReadVariable): Demand {
  const empty: string[] = []
  const filled = (variable: EnvironmentVariable): string | undefined => {
    const value = read(variable)
    if (value?.trim() !== '') return value
    empty.push(variable.name)
    return undefined
  }
  const asked = filled(known.encrypt)
  const isAnswer = asked !== undefined && isSwitch(asked)
  const alias = isAnswer ? undefined : asked
  const aliasOf = (isOfAge: boolean): string | undefined => (alias && isAge(alias) === isOfAge ? alias : undefined)
  return {
    wanted: isAnswer ? booleanOf(asked, known.encrypt.name) : undefined,
    ageRecipients: agreed(filled(known.ageRecipients), aliasOf(true), known.ageRecipients.name),
    gpgRecipient: agreed(filled(known.gpgRecipient), aliasOf(false), known.gpgRecipient.name),
    empty: empty[0],
  }
}

function requireAgreement({ wanted, ageRecipients, gpgRecipient }: Demand): void {
  const { encrypt, ageRecipients: ofAge, gpgRecipient: ofGpg } = known
  if (ageRecipients !== undefined && gpgRecipient !== undefined) {
    throw disagreeing(ofAge.name, ofGpg.name, 'A backup is encrypted with one of age and gpg.')
  }
  if (wanted !== false || (ageRecipients ?? gpgRecipient) === undefined) return
  const { name } = ageRecipients === undefined ? ofGpg : ofAge
  throw disagreeing(encrypt.name, name, 'Nothing was written. Unset the one that is not meant.')
}

function requireSomebody({ wanted, ageRecipients, gpgRecipient, empty }: Demand): void {
  if ((ageRecipients ?? gpgRecipient) !== undefined) return
  if (wanted === true) {
    throw new BackupError('config-invalid', {
      message: `${known.encrypt.name} asks for encryption, but it is not said for whom`,
      hint: `Nothing was written. Set ${known.ageRecipients.name} (holdfast key generate makes a key) or ${known.gpgRecipient.name}.`,
    })
  }
  if (wanted === undefined && empty !== undefined) throw emptied(empty)
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
  const encrypted = (job: JobConfig): JobConfig => {
    const encrypt = encryptionFrom({}, read, job.encrypt)
    return encrypt ? { ...job, encrypt } : job
  }
  return Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, encrypted(job)]))
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
    message: `The environment variable ${name} (or ${name}_FILE, or the file that it names) is set, but empty: it does not say for whom backups are to be encrypted`,
    hint: 'No backup is made in plain by mistake. Give it a recipient; or, where none is meant, unset it or set BACKUP_ENCRYPT=false: what the configuration says of each job holds then.',
  })
}

function disagreeing(one: string, other: string, hint: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The environment variables ${one} and ${other} disagree`,
    hint,
  })
}
