import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import { codecById } from '../codec/codec-by-id.js'
import type { RunContext, Stage } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { type Meter, meter } from '../stream/meter.js'
import type { ManifestPart } from './manifest.js'

/**
 * The stored bytes of a part from one storage. Ends only if size and SHA-256 are those of the manifest.
 *
 * @throws {BackupError} `corrupt`, and what the storage throws.
 */
export async function* storedBytes(
  part: ManifestPart,
  storage: Storage,
  stage: Stage,
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  let soFar = 0
  const stored = meter(storage.get(part.key, undefined, ctx), {
    sha256: true,
    onBytes: (bytes) => {
      soFar = bytes
      ctx.report({ type: 'bytes', stage, part: part.name, storedBytes: bytes, totalStoredBytes: part.storedBytes })
    },
  })
  for await (const chunk of stored.stream) {
    if (soFar > part.storedBytes) throw corrupt(part, storage, `it is longer than ${part.storedBytes} bytes`)
    yield chunk
  }
  const { bytes, sha256 } = stored.result()
  if (bytes !== part.storedBytes) throw corrupt(part, storage, `it has ${bytes} of ${part.storedBytes} bytes`)
  if (sha256 !== part.storedSha256) throw corrupt(part, storage, 'its SHA-256 differs from the manifest')
}

/** The plain bytes of a part, with a meter on them. */
export function plainBytes(part: ManifestPart, stored: ByteStream, cipher: Cipher | undefined, ctx: RunContext): Meter {
  const decrypted = part.cipher ? requireCipher(part, cipher).decrypt(stored, ctx) : stored
  const most = part.plainBytes ?? Number.POSITIVE_INFINITY
  // At once: the room for what is said to come has been looked for, and a little can decompress to more than any disk holds.
  const onBytes = (bytes: number): void => {
    if (bytes > most) throw otherBytes(part)
  }
  const plain = meter(codecById(part.codec).decompress(decrypted, ctx), { sha256: true, onBytes })
  return { ...plain, stream: checkPlain(part, plain) }
}

/** Ends only if the plain bytes are those of the manifest, as far as it knows them. */
async function* checkPlain(part: ManifestPart, plain: Meter): AsyncGenerator<Uint8Array> {
  yield* plain.stream
  const { bytes, sha256 } = plain.result()
  const known = part.plainBytes !== undefined
  if (known && (bytes !== part.plainBytes || sha256 !== part.plainSha256)) throw otherBytes(part)
  if (part.trailer !== undefined && !plain.tail().includes(part.trailer)) {
    throw new BackupError('corrupt', {
      message: `The dump in ${part.key} lacks its end (${JSON.stringify(part.trailer)}): the dump program stopped early`,
      hint: 'This backup is not whole. Restore from another one, and run a new backup.',
    })
  }
}

function otherBytes(part: ManifestPart): BackupError {
  return new BackupError('corrupt', {
    message: `The dump in ${part.key} decompresses to other bytes than were dumped`,
    hint: 'Restore from another backup, and report this: the stored bytes are as written.',
  })
}

function requireCipher(part: ManifestPart, cipher: Cipher | undefined): Cipher {
  if (cipher?.id === part.cipher?.id && cipher?.canDecrypt) return cipher
  throw new BackupError('wrong-key', {
    message: `${part.key} is encrypted with ${part.cipher?.id}, and no key that reads it is configured`,
    hint: `Name the key of one of ${part.cipher?.keyIds.join(', ')}: --identity FILE on the command line, \`identities\` in the configuration, or the keyring of gpg.`,
  })
}

function corrupt(part: ManifestPart, storage: Storage, why: string): BackupError {
  return new BackupError('corrupt', {
    message: `${part.key} on ${storage.display} is damaged: ${why}`,
    hint: 'Restore from another copy or backup (`holdfast list`); this copy can be filled again from a good one.',
  })
}
