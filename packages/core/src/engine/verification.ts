import { isBackupError, messageOf } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { formatVersion } from '../layout/manifest.js'
import { verifiedKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/** What the latest verification of a copy found; kept beside its manifest. */
export interface Verification {
  readonly id: string
  /** UTC, ISO 8601. */
  readonly verifiedAt: string
  readonly status: 'intact' | 'corrupt'
  readonly problem?: string
  /** Plain sizes and hashes of the parts that could be read to their end. */
  readonly parts: readonly { readonly name: string; readonly plainBytes: number; readonly plainSha256: string }[]
}

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
  ctx: RunContext,
): Promise<Verification | undefined> {
  try {
    const content: unknown = JSON.parse((await readAll(storage.get(key, undefined, ctx), 1024 * 1024)).toString())
    if (isVerification(content)) return content
    ctx.log.warn(`${key} on ${storage.name} is not a verification result`)
  } catch (error) {
    if (!(error instanceof SyntaxError) && !isBackupError(error, 'not-found')) throw error
    ctx.log.warn(`${key} on ${storage.name} cannot be read: ${messageOf(error)}`)
  }
  return undefined
}

function isVerification(content: unknown): content is Verification {
  const { verifiedAt, status, parts } = (content ?? {}) as Partial<Verification>
  return (
    !Number.isNaN(Date.parse(verifiedAt ?? '')) && (status === 'intact' || status === 'corrupt') && Array.isArray(parts)
  )
}
