import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { age, BackupError, type Cipher, gpg, messageOf, Secret } from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { environmentVariables as known } from './environment-variables.js'
import type { Setup } from './setup.js'

/** Options of every command that may have to decrypt. */
export interface KeyOptions {
  /** Files with age identities. */
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

/**
 * What reads encrypted backups, beside the keys of the jobs: the identities that the command line or the environment
 * names, and gpg with the user's own keyring.
 *
 * @throws {BackupError} `config-invalid`.
 */
export async function readingCiphers(options: KeyOptions, setup: Setup, cli: Cli): Promise<readonly Cipher[]> {
  const passphrase = options.passphraseFile && passphraseIn(resolve(cli.world.cwd, options.passphraseFile), cli)
  const jobs = setup.file === undefined ? [] : Object.values(await setup.jobs())
  const ownKeyring = jobs.some(({ encrypt }) => encrypt?.id === 'gpg')
  return [
    ...(await ageKeys(options, passphrase || undefined, setup, cli)),
    ...(ownKeyring && !passphrase ? [] : [gpg(passphrase ? { passphrase } : {})]),
  ]
}

async function ageKeys(
  { identity = [] }: KeyOptions,
  passphrase: Secret | undefined,
  { read }: Setup,
  cli: Cli,
): Promise<Cipher[]> {
  const files = identity.map((file) => resolve(cli.world.cwd, file))
  if (files.length > 0) {
    const opens = passphrase ?? (files.some(isLocked) ? await askPassphrase(cli) : undefined)
    return [age({ identities: files.map((file) => ({ file })), passphrase: opens })]
  }
  const fromEnvironment = read(known.ageIdentity)
  if (fromEnvironment !== undefined) return [age({ identities: fromEnvironment, passphrase })]
  return passphrase ? [age({ passphrase })] : []
}

/** Whether an identity is under a passphrase: an age file of its own. What cannot be read is told of later. */
function isLocked(path: string): boolean {
  try {
    return /^\s*(?:age-encryption\.org\/|-----BEGIN AGE)/.test(readFileSync(path, 'latin1').slice(0, 100))
  } catch {
    return false
  }
}

async function askPassphrase(cli: Cli): Promise<Secret | undefined> {
  if (!canAsk(cli.world)) return undefined
  const typed = await ask('Passphrase of the identity:', cli.world, cli.signal, { hidden: true })
  if (!typed) return undefined
  cli.output.hide(typed)
  return new Secret(typed)
}

/**
 * Reads a passphrase from a file; a newline at its end is no part of it.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function passphraseIn(path: string, { output }: Pick<Cli, 'output'>): Secret {
  let text: string
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The file given with --passphrase-file cannot be read: ${messageOf(error)}`,
      hint: 'Check the path and its permissions.',
      cause: error,
    })
  }
  if (text === '') {
    throw new BackupError('config-invalid', {
      message: `The passphrase file ${path} is empty`,
      hint: 'Write the passphrase into it, and nothing else.',
    })
  }
  output.hide(text)
  return new Secret(text)
}
