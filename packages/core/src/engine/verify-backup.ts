import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { Cipher } from '../cipher/cipher.js'
import type { Driver } from '../driver/driver.js'
import type { Manifest, ManifestPart } from '../layout/manifest.js'
import { manifestKey } from '../layout/object-names.js'
import { plainBytes, storedBytes } from '../layout/read-part.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { TestRestore } from './proof/test-restore-result.js'
import { type Verification, writeVerification } from './verification.js'

/** What a verification may use beside the stored bytes. */
export interface VerifyMeans {
  /** Reads the dump to its end with the engine's own tool. */
  readonly driver?: Driver | undefined
  /** Reads encrypted parts; without one their stored bytes are verified alone. */
  readonly cipher?: Cipher | undefined
  /** What the last test restore of this copy found: the new result keeps it. */
  readonly test?: TestRestore | undefined
}

/**
 * Re-reads one copy to its end: size and SHA-256 of the stored bytes, decompression, size and SHA-256 of the plain
 * bytes where the manifest knows them, the dump's trailer, and the engine's own check. The result is written beside
 * the manifest.
 *
 * @returns Damage is a result, not an error.
 * @throws what keeps the copy from being read at all: `unavailable`, `storage-denied`; `not-found` for one that was
 *   deleted meanwhile.
 */
export async function verifyCopy(
  manifest: Manifest,
  base: string,
  storage: Storage,
  means: VerifyMeans,
  ctx: RunContext,
): Promise<Verification> {
  const parts: { name: string; plainBytes: number; plainSha256: string }[] = []
  let problem: string | undefined
  for (const part of manifest.parts) {
    try {
      const plain = await verifyPartWithTools(part, storage, means, ctx)
      if (plain) parts.push({ name: part.name, ...plain })
    } catch (error) {
      if (!isBackupError(error, 'corrupt') && !isBackupError(error, 'not-found')) throw error
      problem ??= messageOf(error)
    }
  }
  const found: Verification = {
    id: manifest.id,
    verifiedAt: ctx.clock.now().toISOString(),
    status: problem === undefined ? 'intact' : 'corrupt',
    ...(problem !== undefined && { problem }),
    parts,
    ...(means.test && { test: means.test }),
  }
  if (problem !== undefined) await requireStillThere(base, storage, ctx)
  await remember(storage, base, found, ctx)
  return found
}

/** What retention has deleted while it was read is no damaged copy: it is none. */
export async function requireStillThere(base: string, storage: Storage, ctx: RunContext): Promise<void> {
  if (await storage.stat(manifestKey(base), ctx)) return
  throw new BackupError('not-found', {
    message: `The copy on ${storage.name} was deleted while it was being verified`,
    hint: 'Another run of the job has deleted it, or somebody has. `holdfast list` shows what there is.',
  })
}

/** Reads the stored bytes of every part to their end, before something irreversible rests on them. */
export async function readThrough(manifest: Manifest, storage: Storage, ctx: RunContext): Promise<void> {
  for (const part of manifest.parts) await drain(storedBytes(part, storage, 'read-through', ctx))
}

/** Where the engine's own tool is missing, the stored and plain bytes are verified all the same. */
async function verifyPartWithTools(
  part: ManifestPart,
  storage: Storage,
  means: VerifyMeans,
  ctx: RunContext,
): ReturnType<typeof verifyPart> {
  try {
    return await verifyPart(part, storage, means, ctx)
  } catch (error) {
    if (!means.driver || (!isBackupError(error, 'tool-missing') && !isBackupError(error, 'tool-too-old'))) throw error
    ctx.log.warn(`Without the engine's own check of ${part.name}: ${messageOf(error)}`)
    return verifyPart(part, storage, { cipher: means.cipher }, ctx)
  }
}

async function verifyPart(
  part: ManifestPart,
  storage: Storage,
  { driver, cipher }: VerifyMeans,
  ctx: RunContext,
): Promise<{ plainBytes: number; plainSha256: string } | undefined> {
  const stored = storedBytes(part, storage, 'verify', ctx)
  if (part.cipher && !cipher?.canDecrypt) {
    await drain(stored)
    return undefined
  }
  const plain = plainBytes(part, stored, cipher, ctx)
  try {
    if (driver?.check) await driver.check(part, plain.stream, ctx)
    else await drain(plain.stream)
  } catch (error) {
    // A key that does not fit looks like the right one on a copy whose beginning is damaged: the hash tells.
    if (isBackupError(error, 'wrong-key')) await drain(storedBytes(part, storage, 'verify', ctx))
    throw error
  }
  const { bytes, sha256 } = plain.result()
  if (sha256 === undefined) throw new BackupError('internal', { message: `No hash of ${part.key} was taken` })
  return { plainBytes: bytes, plainSha256: sha256 }
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** A storage that may only be read still can be verified; the result is then this run's alone. */
export async function remember(storage: Storage, base: string, found: Verification, ctx: RunContext): Promise<void> {
  try {
    await writeVerification(storage, base, found, ctx)
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.warn(`The result could not be kept on ${storage.name}: ${messageOf(error)}`)
  }
}
