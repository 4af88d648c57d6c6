import { createHash } from 'node:crypto'
import { BackupError } from '../../backup-error.js'
import { type ByteStream, readAll } from '../../byte-stream.js'
import type { Driver, DumpPart, DumpRequest, RestoreSource } from '../../driver/driver.js'
import { formatVersion, type Manifest, type ManifestPart } from '../../layout/manifest.js'
import type { RunContext } from '../../run-context.js'

/** A backup that is kept in memory: for tests of drivers, without storage or engine. */
export interface MemoryBackup extends RestoreSource {
  /** The plain bytes of each part, by name. */
  readonly bytes: ReadonlyMap<string, Buffer>
}

/** Takes a backup into memory, in the way in which the engine takes one. */
export async function memoryBackup(driver: Driver, request: DumpRequest, ctx: RunContext): Promise<MemoryBackup> {
  const startedAt = ctx.clock.now().toISOString()
  await using session = await driver.dump(request, ctx)
  const bytes = new Map<string, Buffer>()
  const parts: ManifestPart[] = []
  for await (const part of session.parts) {
    const plain = await readAll(streamOfPart(part), 1024 ** 3)
    bytes.set(part.name, plain)
    parts.push(describe(part, plain))
  }
  const report = await session.done
  const inventory = await session.inventory?.()
  const manifest: Manifest = {
    formatVersion,
    id: '00000000-0000-7000-8000-000000000000',
    layout: 'whole/1',
    job: 'test',
    type: 'manual',
    database: driver.database,
    engine: driver.engine,
    startedAt,
    endedAt: ctx.clock.now().toISOString(),
    copies: [],
    parts,
    ...(inventory ? { inventory } : {}),
    holdfast: '0.0.0',
    ...report,
  }
  return { manifest, parts, bytes, open: (part) => inChunks(bytesOf(bytes, part)) }
}

/** The bytes of a part, however it is offered. */
export function streamOfPart(part: DumpPart): ByteStream {
  const taken = part.take()
  return taken.kind === 'stream' ? taken.body : taken.output.read()
}

/**
 * The same backup with damage: its streams throw `corrupt` after so many bytes of a part, as a layout's do that finds
 * a hash to be wrong.
 *
 * @param share - Of the bytes that still come: 0 to 1. With 1 all of them come, and then the error.
 */
export function damagedBackup(backup: MemoryBackup, share: number): MemoryBackup {
  return {
    ...backup,
    async *open(part) {
      const bytes = bytesOf(backup.bytes, part)
      yield* inChunks(bytes.subarray(0, Math.floor(bytes.length * share)))
      throw new BackupError('corrupt', { message: `Damage was put into ${part} for a test` })
    },
  }
}

/** A backup whose streams stop and never go on, after so many bytes; they end when the signal fires. */
export function stallingBackup(backup: MemoryBackup, share: number, onStall: () => void): MemoryBackup {
  return {
    ...backup,
    async *open(part, ctx) {
      const bytes = bytesOf(backup.bytes, part)
      yield* inChunks(bytes.subarray(0, Math.floor(bytes.length * share)))
      onStall()
      ctx.signal.throwIfAborted()
      await new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true })
      })
    },
  }
}

async function* inChunks(bytes: Buffer, size = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function bytesOf(all: ReadonlyMap<string, Buffer>, part: string): Buffer {
  const bytes = all.get(part)
  if (bytes) return bytes
  throw new BackupError('not-found', { message: `The backup has no part ${part}` })
}

function describe({ name, mediaType, trailer }: DumpPart, plain: Buffer): ManifestPart {
  const sha256 = createHash('sha256').update(plain).digest('hex')
  return {
    name,
    mediaType,
    key: `test/${name}`,
    storedBytes: plain.length,
    storedSha256: sha256,
    plainBytes: plain.length,
    plainSha256: sha256,
    codec: 'none',
    ...(trailer ? { trailer } : {}),
  }
}
