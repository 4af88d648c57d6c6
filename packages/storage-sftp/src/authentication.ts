import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import type { ConnectConfig } from 'ssh2'
import { type ResolvedSftpOptions, serverOf } from './options.js'

type Authentication = Pick<
  ConnectConfig,
  'username' | 'privateKey' | 'passphrase' | 'password' | 'agent' | 'tryKeyboard'
>

/** Keys that ssh itself tries when it is told of none. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/**
 * How to sign in: by what the options name; where they name nothing, as ssh does, by the agent and the usual key.
 *
 * @throws {BackupError} `storage-config-invalid` when there is nothing to sign in with.
 */
export async function authentication(options: ResolvedSftpOptions): Promise<Authentication> {
  const { username, privateKey, passphrase, password } = options
  const agent = agentOf(options)
  if (privateKey) await refuseUnreadableKey(options)
  const named: Authentication = {
    ...(privateKey && { privateKey: privateKey.reveal() }),
    ...(passphrase && { passphrase: passphrase.reveal() }),
    // Many servers ask for the password by a dialogue, which looks the same to a person.
    ...(password && { password: password.reveal(), tryKeyboard: true }),
    ...(agent !== undefined && { agent }),
  }
  if (Object.keys(named).length > 0) return { username, ...named }
  const usual = await usualAuthentication()
  if (Object.keys(usual).length > 0) return { username, ...usual }
  throw new BackupError('storage-config-invalid', {
    message: `There is nothing to sign in to ${serverOf(options)} with`,
    hint: 'Set privateKey, password or agent: SFTP_PRIVATE_KEY, SFTP_PASSWORD, or ?privateKeyFile=/path in the URL.',
  })
}

function agentOf(options: ResolvedSftpOptions): string | undefined {
  const { agent } = options
  if (typeof agent === 'string') return agent
  if (!agent) return undefined
  const socket = process.env.SSH_AUTH_SOCK
  if (socket) return socket
  throw new BackupError('storage-config-invalid', {
    message: `An SSH agent is to sign in to ${serverOf(options)}, but SSH_AUTH_SOCK is not set`,
    hint: 'Start ssh-agent where this runs, or set agent to the path of its socket.',
  })
}

async function usualAuthentication(): Promise<Partial<Authentication>> {
  const { parseKey } = (await import('ssh2')).default.utils
  const agent = process.env.SSH_AUTH_SOCK
  const found = agent ? { agent } : {}
  for (const name of usualKeys) {
    const key = await readFile(join(homedir(), '.ssh', name)).catch(() => undefined)
    // One with a passphrase is for the agent.
    if (key && !(parseKey(key) instanceof Error)) return { ...found, privateKey: key }
  }
  return found
}

/** The library's own words on keys are not for users, and say too little of what to do. */
async function refuseUnreadableKey({ privateKey, passphrase }: ResolvedSftpOptions): Promise<void> {
  const { parseKey } = (await import('ssh2')).default.utils
  const parsed = parseKey(privateKey?.reveal() ?? '', passphrase?.reveal())
  if (!(parsed instanceof Error)) return
  const encrypted = /passphrase|integrity|decrypt/i.test(parsed.message)
  const why = encrypted ? (passphrase ? 'the passphrase does not fit' : 'it has a passphrase, and none is set') : ''
  throw new BackupError('storage-config-invalid', {
    message: `The private key of the SFTP storage cannot be read${why ? `: ${why}` : ''}`,
    hint: encrypted
      ? 'Set passphrase (SFTP_PASSPHRASE) to that of the key.'
      : 'It must be the private key, whole, as ssh-keygen writes it: from -----BEGIN to -----END.',
  })
}
