import { readFileSync } from 'node:fs'
import type { Identity } from 'age-encryption'
import { BackupError, messageOf } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { Secret } from '../secret.js'
import { headerLength, openHeader } from './age-header.js'
import type { AgeLibrary } from './age-library.js'
import { openPayload, payloadKey, payloadNonceBytes } from './age-payload.js'
import { scryptIdentity } from './age-scrypt.js'
import { isBech32 } from './bech32.js'

/** What one identity file, or the text of one, holds. */
export type IdentityFile =
  | { readonly kind: 'keys'; readonly keys: readonly Secret[] }
  /** Under a passphrase, as `age -p` and `holdfast key generate --passphrase` make it. Binary or armored. */
  | { readonly kind: 'encrypted'; readonly bytes: Buffer; readonly where: string }

const armorBegin = '-----BEGIN AGE ENCRYPTED FILE-----'
const ageBegin = 'age-encryption.org/'

/** @throws {BackupError} `config-invalid`. */
export function identityFile(path: string): IdentityFile {
  try {
    return parseIdentities(readFileSync(path), path)
  } catch (error) {
    if (error instanceof BackupError) throw error
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw notIdentities(path, isMissing ? 'there is no such file' : `it cannot be read (${messageOf(error)})`)
  }
}

/**
 * @param where - Names the text in messages. What it holds is never shown.
 * @throws {BackupError} `config-invalid`.
 */
export function parseIdentities(content: Buffer, where: string): IdentityFile {
  const text = content.toString('latin1')
  if (text.startsWith(ageBegin) || text.trimStart().startsWith(armorBegin)) {
    return { kind: 'encrypted', bytes: content, where }
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const keys = lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return []
    if (/^AGE-SECRET-KEY-(?:PQ-)?1/.test(line) && isBech32(line)) return [new Secret(line)]
    const why = line.includes('BEGIN OPENSSH') ? 'SSH keys are not read' : `line ${index + 1} is no age identity`
    throw notIdentities(where, why)
  })
  if (keys.length === 0) throw notIdentities(where, 'there is no identity in it')
  return { kind: 'keys', keys }
}

/**
 * The identities as the library takes them; those under a passphrase are opened.
 *
 * @throws {BackupError} `wrong-key` when the passphrase does not open one.
 */
export async function readIdentities(
  {
    identities,
    passphrase,
  }: { readonly identities: readonly IdentityFile[]; readonly passphrase?: Secret | undefined },
  library: AgeLibrary,
): Promise<(string | Identity)[]> {
  const found: string[] = []
  for (const file of identities) {
    const opened = file.kind === 'keys' ? file : await openIdentities(file, passphrase, library)
    if (opened.kind === 'keys') found.push(...opened.keys.map((key) => key.reveal()))
  }
  return found
}

async function openIdentities(
  { bytes, where }: IdentityFile & { kind: 'encrypted' },
  passphrase: Secret | undefined,
  library: AgeLibrary,
): Promise<IdentityFile> {
  if (passphrase === undefined) throw notIdentities(where, 'it is under a passphrase, and none is given')
  const file = bytes.toString('latin1', 0, ageBegin.length) === ageBegin ? bytes : unarmored(bytes, where, library)
  const length = headerLength(file)
  if (length === undefined) throw notIdentities(where, 'it is cut off')
  const fileKey = await openHeader(file.subarray(0, length), [scryptIdentity(passphrase)], library).catch((cause) => {
    throw new BackupError('wrong-key', {
      message: `The passphrase does not open the identity ${where}`,
      hint: 'Check the passphrase. It is the one that was given when the identity was made.',
      cause,
    })
  })
  const key = payloadKey(fileKey, file.subarray(length, length + payloadNonceBytes))
  const payload = streamOf(file.subarray(length + payloadNonceBytes))
  return parseIdentities(await readAll(openPayload(payload, key, createRunContext())), where)
}

function unarmored(bytes: Buffer, where: string, { armor }: AgeLibrary): Buffer {
  try {
    return Buffer.from(armor.decode(bytes.toString('latin1')))
  } catch (cause) {
    throw notIdentities(where, `it is damaged (${messageOf(cause)})`)
  }
}

function notIdentities(where: string, why: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The age identity ${where} cannot be used: ${why}`,
    hint: 'An identity is a line AGE-SECRET-KEY-1…, as `holdfast key generate` and `age-keygen` write it.',
  })
}
