import { createHash } from 'node:crypto'
import * as z from 'zod'
import { BackupError } from '../backup-error.js'
import { backupTypes, formatVersion, type Manifest } from './manifest.js'
import { baseKey, parseKey } from './object-names.js'

const head = '{\n  "digest": "sha256:'
const digits = 64
const zeros = '0'.repeat(digits)

const count = z.number().int().nonnegative()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const instant = z.iso.datetime()

/** Of what a driver may say of its dump. Whoever writes a manifest of thousands would end each program that prints it. */
const mostLevels = 32

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => nestsDeeper(inner, levels - 1))
}

const partSchema = z.object({
  name: z.string().regex(/^[a-z0-9.-]+$/),
  mediaType: z.string(),
  key: z.string().min(1),
  storedBytes: count,
  storedSha256: sha256,
  plainBytes: count.optional(),
  plainSha256: sha256.optional(),
  codec: z.string(),
  cipher: z.object({ id: z.string(), keyIds: z.array(z.string()) }).optional(),
  trailer: z.string().optional(),
})

const manifestSchema = z.object({
  formatVersion: z.literal(formatVersion),
  id: z.uuid(),
  layout: z.literal('whole/1'),
  job: z.string().min(1),
  type: z.enum(backupTypes),
  database: z.string(),
  engine: z.string(),
  serverVersion: z.string(),
  tools: z.record(z.string(), z.string()),
  options: z
    .record(z.string(), z.unknown())
    .refine((options) => !nestsDeeper(options, mostLevels), 'is nested too deep'),
  startedAt: instant,
  endedAt: instant,
  label: z.string().optional(),
  copies: z.array(z.object({ storage: z.string(), status: z.enum(['complete', 'failed']) })),
  parts: z.array(partSchema).min(1),
  inventory: z
    .object({
      level: z.enum(['counts', 'checksums']),
      exact: z.boolean(),
      tables: z.array(
        z.object({ schema: z.string().optional(), name: z.string(), rows: count, checksum: z.string().optional() }),
      ),
    })
    .optional(),
  warnings: z.array(z.string()),
  holdfast: z.string(),
  recover: z.string(),
})

/** The bytes of a manifest file, digest included. */
export function encodeManifest(manifest: Manifest): Buffer {
  const body = JSON.stringify({ digest: `sha256:${zeros}`, ...manifest }, undefined, 2)
  const file = Buffer.from(`${body}\n`)
  file.write(digestOf(file), head.length, 'latin1')
  return file
}

/**
 * Reads a manifest file.
 *
 * @param where - Names the object in messages.
 * @param base - Where it lies: it must name itself and its parts by that. A digest keeps out accidents; this keeps a
 *   manifest that somebody else wrote from pointing at other objects.
 * @throws {BackupError} `manifest-invalid` when it is torn, changed or not a manifest; `manifest-too-new` when a later
 *   version of Holdfast wrote it.
 */
export function decodeManifest(file: Buffer, where: string, base?: string): Manifest {
  const content = parse(file, where)
  const version = (content as { formatVersion?: unknown } | null)?.formatVersion
  if (typeof version === 'number' && version > formatVersion) {
    throw new BackupError('manifest-too-new', {
      message: `The manifest ${where} has format version ${version}; this Holdfast reads up to ${formatVersion}`,
      hint: 'Install a newer Holdfast to read this backup.',
    })
  }
  const text = file.toString('latin1', 0, head.length + digits)
  if (text !== head + digestOf(file)) throw invalid(where, 'its digest does not match its bytes')
  const checked = manifestSchema.safeParse(content)
  if (!checked.success) {
    const issues = checked.error.issues.slice(0, 3).map(({ path, message }) => `${nameOf(path)}: ${message}`)
    throw invalid(where, issues.join('; '))
  }
  const manifest = checked.data as Manifest
  if (base !== undefined) requireOwn(manifest, base, where)
  return manifest
}

/** Quoted where it is no plain name: who wrote it is not known. */
function nameOf(path: readonly PropertyKey[]): string {
  return path.map((key) => (/^[\w-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key)))).join('.')
}

function requireOwn(manifest: Manifest, base: string, where: string): void {
  const own = baseKey({ ...manifest, startedAt: new Date(manifest.startedAt) })
  if (own !== base) throw invalid(where, `it describes ${own}`)
  if (new Set(manifest.parts.map(({ name }) => name)).size < manifest.parts.length)
    throw invalid(where, 'it names a part twice')
  if (new Set(manifest.parts.map(({ key }) => key)).size < manifest.parts.length)
    throw invalid(where, 'it names an object twice')
  const foreign = manifest.parts.find(
    ({ key, name }) => !key.startsWith(`${base}.${name}`) || parseKey(key)?.kind !== 'data',
  )
  if (foreign) throw invalid(where, `its part ${foreign.name} is said to be in ${JSON.stringify(foreign.key)}`)
}

function parse(file: Buffer, where: string): unknown {
  try {
    return JSON.parse(file.toString('utf8'))
  } catch (cause) {
    throw invalid(where, 'it is not JSON', cause)
  }
}

function digestOf(file: Buffer): string {
  return createHash('sha256')
    .update(file.subarray(0, head.length))
    .update(zeros)
    .update(file.subarray(head.length + digits))
    .digest('hex')
}

function invalid(where: string, why: string, cause?: unknown): BackupError {
  return new BackupError('manifest-invalid', {
    message: `The manifest ${where} is damaged: ${why}`,
    hint: 'Read the backup from another storage if it has a further copy. The data beside the manifest may still be whole: see docs/recovery.md.',
    cause,
  })
}
