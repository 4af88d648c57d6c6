import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import { hostName, type KnownKey, knownKeys } from './known-hosts.js'
import type { ResolvedSftpOptions } from './options.js'

/** What decides whether the server is the one that is meant. */
export interface HostKeyCheck {
  /**
   * Names of host key algorithms in the order in which they are asked for, attempt by attempt: a server has keys of
   * several types, and sends the first one that is asked for. A fingerprint does not tell of which type its key is.
   */
  readonly attempts: readonly (readonly string[])[]
  /** Why a key is refused; `undefined` if it is trusted. */
  refusal(key: Buffer): BackupError | undefined
}

/** Reads what is known of the host. Without a pin and without a known key every key is refused. */
export async function hostKeyCheck(options: ResolvedSftpOptions): Promise<HostKeyCheck> {
  const { hostFingerprint: pins, host, port } = options
  if (pins) return { attempts: [algorithms, ecdsa, rsa], refusal: (key) => pinRefusal(key, pins, options) }
  const files = options.knownHosts ?? [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']
  const text = (await Promise.all(files.map((file) => readKnownHosts(file, options)))).join('\n')
  const known = knownKeys(text, host, port)
  // As ssh does: a host that is known without its port may answer on another one, with the same key.
  const elsewhere = port === 22 ? [] : knownKeys(text, host, 22)
  const types = (known.length > 0 ? known : elsewhere).filter(({ isRevoked }) => !isRevoked).map(({ type }) => type)
  return { attempts: [inOrder(types)], refusal: (key) => knownRefusal(key, known, elsewhere, files, options) }
}

/** As `ssh-keygen -l` prints it. */
function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function pinRefusal(key: Buffer, pins: readonly string[], options: ResolvedSftpOptions): BackupError | undefined {
  const offered = fingerprintOf(key)
  if (pins.includes(offered)) return undefined
  return new BackupError('storage-identity', {
    message: `The host key of ${nameOf(options)} is not the one that is pinned: it offers ${typeOf(key)} ${offered}, and hostFingerprint is ${pins.join(' or ')}`,
    hint: `Nothing was sent. Either the server has a new key, or something else answers in its place. ${compare(key)}`,
  })
}

function knownRefusal(
  key: Buffer,
  known: readonly KnownKey[],
  elsewhere: readonly KnownKey[],
  files: readonly string[],
  options: ResolvedSftpOptions,
): BackupError | undefined {
  const offered = fingerprintOf(key)
  const same = [...known, ...elsewhere].filter(({ blob }) => blob.equals(key))
  const at = nameOf(options)
  if (same.some(({ isRevoked }) => isRevoked)) {
    return new BackupError('storage-identity', {
      message: `The host key of ${at} is revoked: it offers ${typeOf(key)} ${offered}`,
      hint: 'Nothing was sent. Ask whoever runs the server for its new key.',
    })
  }
  const mustBe = known.filter(({ isRevoked }) => !isRevoked)
  if (same.length > 0 && (mustBe.length === 0 || mustBe.some(({ blob }) => blob.equals(key)))) return undefined
  if (mustBe.length > 0) {
    const expected = mustBe.map(({ type, blob }) => `${type} ${fingerprintOf(blob)}`).join(' or ')
    return new BackupError('storage-identity', {
      message: `The host key of ${at} has changed: it offers ${typeOf(key)} ${offered}, and known is ${expected}`,
      hint: `Nothing was sent. Either the server has a new key, or something else answers in its place. ${compare(key)} Once it is sure: ssh-keygen -R '${at}', then ${scan(options)}`,
    })
  }
  return new BackupError('storage-config-invalid', {
    message: `The host key of ${at} is not known: it offers ${typeOf(key)} ${offered}`,
    hint: `${compare(key)} If it is the same, pin it with hostFingerprint: '${offered}' (in a URL ?hostFingerprint=${encodeURIComponent(offered)}, in the environment SFTP_HOST_FINGERPRINT), or make the host known in ${files[0] ?? 'known_hosts'}: ${scan(options)}`,
  })
}

function compare(key: Buffer): string {
  const file = `/etc/ssh/ssh_host_${typeOf(key).replace(/^ssh-|-.*$/g, '')}_key.pub`
  return `Compare with what the server itself says: ssh-keygen -lf ${file}.`
}

function scan({ host, port }: ResolvedSftpOptions): string {
  return `ssh-keyscan ${port === 22 ? '' : `-p ${port} `}${host} >> ~/.ssh/known_hosts`
}

function nameOf({ host, port }: ResolvedSftpOptions): string {
  return hostName(host, port)
}

/** A key begins with the name of its type. */
function typeOf(key: Buffer): string {
  return key.toString('latin1', 4, 4 + key.readUInt32BE(0))
}

async function readKnownHosts(file: string, { knownHosts }: ResolvedSftpOptions): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (!knownHosts) return '' // the files that are looked at by default need not exist
    throw new BackupError('storage-config-invalid', {
      message: `The file of known hosts ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      hint: 'Correct knownHosts, or pin the key of the host with hostFingerprint.',
      cause,
    })
  }
}

const ecdsa = ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521']
const rsa = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']
const algorithms: readonly string[] = ['ssh-ed25519', ...ecdsa, ...rsa]

/** The key that is sent must be one that is known: its type comes first. */
function inOrder(types: readonly string[]): string[] {
  const isKnown = (algorithm: string): boolean =>
    types.includes(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm)
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))]
}
