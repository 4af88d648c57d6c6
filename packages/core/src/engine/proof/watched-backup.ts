import { BackupError } from '../../backup-error.js'
import type { ByteStream } from '../../byte-stream.js'
import type { Cipher } from '../../cipher/cipher.js'
import type { DumpSection, RestoreSource } from '../../driver/driver.js'
import type { Manifest, ManifestPart } from '../../layout/manifest.js'
import { plainBytes, storedBytes } from '../../layout/read-part.js'
import type { RunContext } from '../../run-context.js'
import type { Storage } from '../../storage/storage.js'
import { observed } from '../../stream/observed.js'
import type { ProvingDriver } from './judge-sections.js'

/** A copy of a backup, and what reads it. */
export interface WatchedCopy {
  readonly manifest: Manifest
  readonly storage: Storage
  readonly cipher?: Cipher | undefined
}

/** Size and hash of a part that was read to its end. */
export interface ReadPart {
  readonly name: string
  readonly plainBytes: number
  readonly plainSha256: string
}

/** The backup as the restore reads it. */
export interface WatchedBackup {
  readonly source: RestoreSource
  /** Of the main part, as it was read for the restore. */
  sections(): Promise<readonly DumpSection[]>
  /** Reads what the restore did not, and tells what was read. */
  finish(): Promise<{ readonly parts: readonly ReadPart[] }>
}

/**
 * Opens a copy so that its main part is looked into while a restore reads it.
 *
 * @param on - Tells what is in a dump.
 */
export function watchBackup(
  { manifest, storage, cipher }: WatchedCopy,
  on: ProvingDriver,
  main: ManifestPart,
  ctx: RunContext,
): WatchedBackup {
  const looks: Promise<readonly DumpSection[]>[] = []
  const read = new Map<string, { readonly plainBytes: number; readonly plainSha256: string }>()
  const look = (body: ByteStream): Promise<readonly DumpSection[]> => on.sections(main, body, ctx)

  async function* plainOf(part: ManifestPart, readCtx: RunContext): AsyncGenerator<Uint8Array> {
    const plain = plainBytes(part, storedBytes(part, storage, 'restore', readCtx), cipher, readCtx)
    yield* plain.stream
    const { bytes, sha256 = '' } = plain.result()
    read.set(part.name, { plainBytes: bytes, plainSha256: sha256 })
  }

  return {
    source: {
      manifest,
      parts: manifest.parts,
      open(name, readCtx) {
        const part = manifest.parts.find((each) => each.name === name)
        if (!part) throw new BackupError('no-match', { message: `Backup ${manifest.id} has no part ${name}` })
        if (part !== main || read.has(name)) return plainOf(part, readCtx)
        const { stream, result } = observed(plainOf(part, readCtx), look, readCtx.clock)
        looks.push(result) // a driver may look into the dump more than once before it reads it to its end
        return stream
      },
    },
    async sections() {
      const settled = await Promise.allSettled(looks)
      const whole = settled.find((result) => result.status === 'fulfilled')
      return whole ? whole.value : look(plainOf(main, ctx))
    },
    async finish() {
      for (const part of manifest.parts) if (!read.has(part.name)) for await (const _ of plainOf(part, ctx));
      return { parts: [...read].map(([name, plain]) => ({ name, ...plain })) }
    },
  }
}
