import { spawnSync } from 'node:child_process'
import * as z from 'zod'
import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import { secretValue } from '../config-value.js'
import type { ChildExit } from '../driver/child.js'
import { minimalEnvironment } from '../driver/child-environment.js'
import { startChild } from '../driver/child-process.js'
import { findProgram } from '../driver/find-program.js'
import { lacksDescriptors, requireDescriptors } from '../driver/free-descriptors.js'
import { notStarted } from '../driver/not-started.js'
import { describeOptionProblems } from '../option-problems.js'
import type { RunContext } from '../run-context.js'
import type { Secret } from '../secret.js'
import type { Cipher } from './cipher.js'
import type { CipherValue } from './cipher-value.js'
import { decryptionFailure, encryptionFailure, type GpgStatus, gpgStatus } from './gpg-status.js'
import { throughChild } from './through-child.js'

/** How gpg is used. */
export interface GpgOptions {
  /** For whom: fingerprints, key ids or e-mail addresses whose public keys are in the keyring. None: reads alone. */
  readonly recipients?: string | readonly string[] | undefined
  /** Directory of the keyring. Default: `GNUPGHOME`, else `~/.gnupg`. Its path must be short: it holds a socket. */
  readonly homedir?: string | undefined
  /** Of the secret key, where it has one and gpg's agent does not know it. Given by descriptor. */
  readonly passphrase?: CipherValue | undefined
  /** The program. Default: `gpg` on the `PATH`. */
  readonly program?: string | undefined
}

const text = z
  .string()
  .min(1)
  .refine((value) => !value.startsWith('-'), 'must not begin with a hyphen')

const schema = z.strictObject({
  recipients: z.union([z.array(text), text.transform((one) => [one])]).default([]),
  homedir: text.optional(),
  passphrase: secretValue.optional(),
  program: text.optional(),
})

interface Gpg {
  readonly recipients: readonly string[]
  readonly command: string
  readonly base: readonly string[]
  readonly passphrase: Secret | undefined
}

/**
 * Encryption by the gpg program, for those who have keys and habits there already. `gpg --decrypt` opens it.
 *
 * Without the secret key in its keyring this host can back up and verify stored bytes, and cannot read.
 *
 * @example
 * ```ts
 * import { gpg } from '@holdfast/core'
 *
 * const encrypt = gpg({ recipients: 'backups@example.org' })
 * console.log(encrypt.keyIds) // ['backups@example.org']
 * ```
 * @throws {BackupError} `config-invalid`.
 */
export function gpg(options: GpgOptions = {}): Cipher {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw invalid(describeOptionProblems(parsed.error, options, schema))
  const { recipients, passphrase, program } = parsed.data
  const homedir = parsed.data.homedir ?? process.env.GNUPGHOME
  const command = program ?? findProgram('gpg') ?? '/usr/bin/gpg'
  const resolved: Gpg = { recipients, command, base: baseArguments(homedir), passphrase }
  let hasKey: boolean | undefined
  return {
    id: 'gpg',
    extension: '.gpg',
    decryptCommand: 'gpg --quiet --decrypt',
    keyIds: recipients,
    // Asked when it matters: a host that only writes need not have the program looked through its keyring.
    get canDecrypt() {
      hasKey ??= hasSecretKey(resolved)
      return hasKey
    },
    encrypt: (plain, ctx) => encrypt(plain, resolved, ctx),
    decrypt: (encrypted, ctx) => decrypt(encrypted, resolved, ctx),
  }
}

/**
 * `--batch --no-tty`: it never asks. `--no-options`: what a backup looks like does not depend on somebody's gpg.conf
 * (armor, hidden or further recipients). `--no-auto-key-locate`: no key is fetched from the network.
 */
function baseArguments(homedir: string | undefined): readonly string[] {
  const home = homedir === undefined ? [] : ['--homedir', homedir]
  return [...home, '--no-options', '--batch', '--no-tty', '--no-auto-key-locate', '--disable-dirmngr']
}

/**
 * `--trust-model always`: the configuration says for whom, and no web of trust is kept on a server. `-z 0`: what comes
 * is compressed already.
 */
function encrypt(plain: ByteStream, gpg: Gpg, ctx: RunContext): ByteStream {
  if (gpg.recipients.length === 0) {
    throw invalid('there are no recipients to encrypt for')
  }
  const recipients = gpg.recipients.flatMap((recipient) => ['--recipient', recipient])
  const args = ['--trust-model', 'always', '-z', '0', ...recipients, '--output', '-', '--encrypt']
  return run(plain, args, [], encryptionFailure, gpg, ctx)
}

/**
 * `--pinentry-mode error`: a key whose passphrase nobody gave fails at once, instead of a question on some screen;
 * what gpg's agent has in its memory is used all the same. `loopback` takes the passphrase from the descriptor.
 */
function decrypt(encrypted: ByteStream, gpg: Gpg, ctx: RunContext): ByteStream {
  const { passphrase } = gpg
  const asking = passphrase ? ['--pinentry-mode', 'loopback', '--passphrase-fd', '4'] : ['--pinentry-mode', 'error']
  return run(
    encrypted,
    [...asking, '--output', '-', '--decrypt'],
    passphrase ? [passphrase] : [],
    decryptionFailure,
    gpg,
    ctx,
  )
}

async function* run(
  source: ByteStream,
  args: readonly string[],
  secrets: readonly Secret[],
  failure: (status: GpgStatus, exit: ChildExit) => BackupError | undefined,
  gpg: Gpg,
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  const status = gpgStatus()
  const child = startChild(
    {
      name: 'gpg',
      command: gpg.command,
      args: [...gpg.base, '--status-fd', '3', ...args],
      failure: 'internal',
      okExitCodes: [0],
      classify: (exit) => failure(status, exit),
    },
    {
      stdin: 'pipe',
      stdout: 'pipe',
      extra: [
        { kind: 'lines', onLine: status.onLine },
        ...secrets.map((content) => ({ kind: 'secret' as const, content })),
      ],
    },
    ctx,
  )
  yield* throughChild(child, source, MiB)
}

/** Whether the keyring holds the secret key of a recipient; without recipients, any. */
function hasSecretKey(gpg: Gpg): boolean {
  const keys = listSecretKeys(gpg)
    .split('\n')
    .filter((line) => /^(?:sec|ssb):/.test(line))
  return keys.some((line) => line.split(':')[14] !== '#') // `#` marks a key of which the secret half is elsewhere
}

/**
 * What gpg lists of the secret keys of the recipients: nothing where it is not there, or knows of none.
 *
 * @throws {BackupError} `internal` (retryable) when this process has too many files open: that says nothing about keys.
 */
function listSecretKeys({ command, base, recipients }: Gpg): string {
  const args = [...base, '--with-colons', '--list-secret-keys', ...recipients]
  try {
    requireDescriptors(3)
    const { stdout, error } = spawnSync(command, args, { env: minimalEnvironment(), encoding: 'utf8' })
    if (lacksDescriptors(error)) throw error
    return stdout ?? ''
  } catch (error) {
    throw notStarted('internal', 'gpg', error)
  }
}

function invalid(problem: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The encryption with gpg cannot be used: ${problem}`,
    hint: "For example: gpg({ recipients: 'backups@example.org' }).",
  })
}
