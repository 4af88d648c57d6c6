import * as z from 'zod'
import { BackupError } from '../backup-error.js'
import { secretValue } from '../config-value.js'
import { describeOptionProblems } from '../option-problems.js'
import type { Secret } from '../secret.js'
import { type IdentityFile, identityFile, parseIdentities } from './age-identities.js'
import { defaultWorkFactor } from './age-scrypt.js'
import { isBech32 } from './bech32.js'
import type { CipherValue } from './cipher-value.js'

/** How age is used. One of `recipients` and `passphrase` is needed to write, `identities` or `passphrase` to read. */
export interface AgeOptions {
  /** Public keys (`age1…`) for which backups are encrypted. A text or file may hold several, one a line. */
  readonly recipients?: CipherValue | readonly CipherValue[] | undefined
  /** Secret keys (`AGE-SECRET-KEY-1…`) that read. A file is one of `age-keygen`, also under a passphrase. */
  readonly identities?: CipherValue | readonly CipherValue[] | undefined
  /**
   * Alone: encrypts and decrypts; whoever backs up can also read. Beside identities: opens those that are under a
   * passphrase, and backups that were encrypted with it.
   */
  readonly passphrase?: CipherValue | undefined
  /** log2 of the work that a guess of the passphrase costs, 10 to 22. Default 18, as `age` does: 256 MiB of memory. */
  readonly workFactor?: number | undefined
}

/** {@link AgeOptions}, read. */
export interface ResolvedAgeOptions {
  readonly recipients: readonly string[]
  readonly identities: readonly IdentityFile[]
  readonly passphrase: Secret | undefined
  /** Whether backups are encrypted with the passphrase. */
  readonly byPassphrase: boolean
  readonly workFactor: number
}

const value = z.custom<CipherValue>(
  (given) => typeof given === 'string' || (typeof given === 'object' && given !== null),
)
const list = z.union([z.array(value), value.transform((one) => [one])])

const schema = z.strictObject({
  recipients: list.default([]),
  identities: list.default([]),
  passphrase: secretValue.optional(),
  workFactor: z.number().int().min(10).max(22).default(defaultWorkFactor),
})

/** @throws {BackupError} `config-invalid`. */
export function parseAgeOptions(options: AgeOptions): ResolvedAgeOptions {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw invalid(describeOptionProblems(parsed.error, options, schema))
  const { passphrase, workFactor } = parsed.data
  const recipients = [...new Set(parsed.data.recipients.flatMap(recipientsIn))]
  const identities = parsed.data.identities.map(identitiesIn)
  const locked = identities.some(({ kind }) => kind === 'encrypted')
  if (locked && passphrase === undefined)
    throw invalid('the identity is under a passphrase; set `passphrase` too (--passphrase-file on the command line)')
  if (recipients.length > 0 && passphrase !== undefined && !locked) {
    throw invalid('a backup is encrypted for recipients or with a passphrase, not both: age allows no mixture')
  }
  const byPassphrase = passphrase !== undefined && recipients.length === 0 && identities.length === 0
  if (recipients.length === 0 && identities.length === 0 && passphrase === undefined) {
    throw invalid('there are neither recipients nor identities nor a passphrase')
  }
  return { recipients, identities, passphrase, byPassphrase, workFactor }
}

function recipientsIn(given: CipherValue): string[] {
  const text = resolveValue(given, 'recipients').reveal()
  const lines = text.split(/\r?\n/).filter((line) => !line.trimStart().startsWith('#'))
  const recipients = lines
    .join('\n')
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  if (recipients.length === 0) throw invalid('recipients: there is none')
  for (const recipient of recipients) requireRecipient(recipient)
  return recipients
}

/** What does not look like a recipient is not shown: it may be a secret key in the wrong place. */
function requireRecipient(text: string): void {
  if (/^age1(?:pq1|tag1|tagpq1)?[02-9ac-hj-np-z]+$/.test(text) && isBech32(text)) return
  if (text.startsWith('AGE-SECRET-KEY-')) {
    throw invalid('recipients: this is a secret key (an identity). Its recipient begins with age1', whereFrom)
  }
  if (text.startsWith('ssh-')) throw invalid('recipients: SSH keys are not supported', whereFrom)
  const which = text.startsWith('age1') ? `${text.slice(0, 12)}…` : 'one of them'
  throw invalid(`recipients: ${which} is mistyped. A recipient is age1 and 58 letters and digits`, whereFrom)
}

const whereFrom =
  '`holdfast key generate` makes a key and prints its recipient; `age-keygen -y key.txt` prints that of a key there is.'

function identitiesIn(given: CipherValue): IdentityFile {
  if (isFile(given)) return identityFile(given.file)
  return parseIdentities(Buffer.from(resolveValue(given, 'identities').reveal()), 'in `identities`')
}

function isFile(given: CipherValue): given is { file: string } {
  return typeof given === 'object' && 'file' in given && typeof given.file === 'string'
}

function resolveValue(given: CipherValue, name: string): Secret {
  const parsed = secretValue.safeParse(given)
  if (parsed.success) return parsed.data
  throw invalid(`${name}: ${parsed.error.issues[0]?.message ?? 'it cannot be read'}`)
}

const example = "For example: age({ recipients: ['age1…'], identities: { file: '/run/secrets/age-key' } })."

function invalid(problem: string, hint: string = example): BackupError {
  return new BackupError('config-invalid', { message: `The encryption with age cannot be used: ${problem}`, hint })
}
