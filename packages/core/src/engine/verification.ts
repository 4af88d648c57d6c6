import * as z from 'zod'
import { isBackupError, messageOf } from '../backup-error.js'
import { MiB, readAll, streamOf } from '../byte-stream.js'
import { formatVersion } from '../layout/manifest.js'
import { verifiedKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { type TestRestore, testRestoreSchema } from './proof/test-restore-result.js'

/** What the latest verification of a copy found; kept beside its manifest. */
export interface Verification {
  readonly id: string
  /** UTC, ISO 8601. */
  readonly verifiedAt: string
  readonly status: 'intact' | 'corrupt'
  readonly problem?: string
  /** Plain sizes and hashes of the parts that could be read to their end. */
  readonly parts: readonly { readonly name: string; readonly plainBytes: number; readonly plainSha256: string }[]
  /** The latest test restore of this copy, which may be older than `verifiedAt`. */
  readonly test?: TestRestore | undefined
}

const verificationSchema = z.object({
  id: z.string(),
  verifiedAt: z.iso.datetime(),
  status: z.enum(['intact', 'corrupt']),
  problem: z.string().optional(),
  parts: z.array(z.object({ name: z.string(), plainBytes: z.number().int().nonnegative(), plainSha256: z.string() })),
  test: testRestoreSchema.optional().catch(undefined), // of a later version, perhaps; the rest is to be read all the same
})

/** Writes the result beside the manifest of the copy. */
export async function writeVerification(
  storage: Storage,
  base: string,
  found: Verification,
  ctx: RunContext,
): Promise<void> {
  const content = Buffer.from(`${JSON.stringify({ formatVersion, ...found }, undefined, 2)}\n`)
  await storage.put(verifiedKey(base), streamOf(content), {}, ctx)
}

/** Reads a result. One that cannot be read counts as none: the next verification replaces it. */
export async function readVerification(
  storage: Storage,
  key: string,
  id: string,
  ctx: RunContext,
): Promise<Verification | undefined> {
  try {
    const content = verificationSchema.safeParse(
      JSON.parse((await readAll(storage.get(key, undefined, ctx), MiB)).toString()),
    )
    if (content.success && content.data.id === id) return content.data as Verification
    ctx.log.warn(`${key} on ${storage.name} is not a verification result of this backup`)
  } catch (error) {
    const unusable =
      error instanceof SyntaxError || isBackupError(error, 'not-found') || isBackupError(error, 'corrupt')
    if (!unusable) throw error
    ctx.log.warn(`${key} on ${storage.name} cannot be read: ${messageOf(error)}`)
  }
  return undefined
}
