/**
 * The S3 server of the tests, run by `s3-server.ts` as a process of its own: s3rver over HTTP, with what s3rver 3.7.1
 * lacks of S3 put right, so that a test which passes here says something about a real bucket.
 *
 * - Signatures (SigV4) and payload hashes are verified; s3rver looks at the access key id alone.
 * - An object appears whole or not at all; s3rver writes in place and keeps what a cut connection left.
 * - AbortMultipartUpload, ListMultipartUploads, `NoSuchUpload`, `InvalidPart` and `EntityTooSmall`.
 * - `If-Match` on reads, `If-None-Match: *` on writes (off with `--ignore-conditions`, as some providers are).
 * - `--discard` counts the bytes of objects and throws them away: for uploads that are larger than the disk.
 * - Ranges that end at byte 0, ranges of empty objects, and listings in the byte order of keys.
 *
 * Nothing relative is imported: Node runs this file as it stands.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'

interface StoredObject {
  readonly bucket: string
  readonly key: string
  readonly content: (Readable & { destroy(): void }) | null
  readonly metadata: Record<string, string>
  range?: { start: number; end: number }
}
interface Store {
  getResourcePath(bucket: string, key: string | undefined, resource: string): string
  getBucketPath(bucket: string): string
  getMetadata(bucket: string, key: string): Promise<Record<string, string>>
  putMetadata(bucket: string, key: string, metadata: Record<string, string>, md5: string): Promise<void>
  existsObject(bucket: string, key: string): Promise<boolean>
  putObject(object: StoredObject): Promise<{ size: number; md5: string }>
  putPart(bucket: string, uploadId: string, part: string, content: Readable): Promise<{ size: number; md5: string }>
  putObjectMultipart(bucket: string, uploadId: string, parts: readonly CompletedPart[]): Promise<unknown>
  deleteObject(bucket: string, key: string): Promise<void>
  getObject(bucket: string, key: string, options?: { start?: number; end?: number }): Promise<StoredObject | null>
  listObjects(bucket: string, options: ListOptions): Promise<unknown>
}
interface CompletedPart {
  readonly number: number
  readonly etag: string
}
interface ListOptions {
  readonly startAfter?: string
  readonly prefix?: string
  readonly maxKeys: number
}
interface Context {
  readonly req: IncomingMessage
  readonly method: string
  readonly path: string
  readonly query: Record<string, string>
  readonly headers: Record<string, string | undefined>
  status: number
  body: unknown
  type: string
}
type Middleware = (ctx: Context, next: () => Promise<void>) => Promise<void>
interface S3rverApp {
  readonly store: Store
  readonly middleware: Middleware[]
  run(): Promise<AddressInfo>
}

const load = createRequire(import.meta.url)
const S3rver = load('s3rver') as new (options: object) => S3rverApp
const S3Error = load('s3rver/lib/models/error') as new (code: string, message: string, detail?: object) => Error
const S3Object = load('s3rver/lib/models/object') as new (
  bucket: string,
  key: string,
  content: Readable | null,
  metadata: Record<string, string>,
) => StoredObject
const { DUMMY_ACCOUNT } = load('s3rver/lib/models/account') as {
  DUMMY_ACCOUNT: { createKeyPair(id: string, secret: string): void }
}

const { values: flags } = parseArgs({
  options: {
    directory: { type: 'string' },
    'access-key-id': { type: 'string' },
    'secret-access-key': { type: 'string' },
    'ignore-conditions': { type: 'boolean', default: false },
    discard: { type: 'boolean', default: false },
  },
})
const { directory, 'access-key-id': accessKeyId, 'secret-access-key': secretAccessKey } = flags
if (!directory || !accessKeyId || !secretAccessKey) throw new Error('--directory and both keys are required')

const buckets = join(directory, 'buckets')
const incoming = join(directory, 'incoming')
await mkdir(buckets, { recursive: true })
await mkdir(incoming, { recursive: true })
DUMMY_ACCOUNT.createKeyPair(accessKeyId, secretAccessKey)

const app = new S3rver({ directory: buckets, address: '127.0.0.1', port: 0, silent: true, vhostBuckets: false })
const { store } = app
replaceStore()
app.middleware.unshift(missingOperations)
app.middleware.unshift(checkSignature)
const { port } = await app.run()
process.stdout.write(`${port}\n`)
// The pipe closes when whoever started this process is gone, however it went.
process.stdin.resume().on('end', () => process.exit(0))

// --- signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

async function checkSignature(ctx: Context, next: () => Promise<void>): Promise<void> {
  const given = /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)/.exec(
    ctx.headers.authorization ?? '',
  )
  if (!given) throw new S3Error('AccessDenied', 'Access Denied')
  const [, id, day, region, signedHeaders, signature] = given as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  if (id !== accessKeyId) throw new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist.')
  const date = ctx.headers['x-amz-date'] ?? ''
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(ctx, signedHeaders))].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  )
  const expected = createHmac('sha256', key).update(toSign).digest()
  const received = Buffer.from(signature, 'hex')
  if (expected.length !== received.length || !timingSafeEqual(expected, received)) {
    throw new S3Error('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature.')
  }
  await next()
}

function canonicalRequest(ctx: Context, signedHeaders: string): string {
  const [path = '/', query = ''] = (ctx.req.url ?? '/').split('?', 2)
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
  const headers = signedHeaders
    .split(';')
    .map((name) => `${name}:${(ctx.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`)
  const payload = ctx.headers['x-amz-content-sha256'] ?? ''
  return [ctx.method, path, pairs.join('&'), headers.join(''), signedHeaders, payload].join('\n')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

// --- operations that s3rver lacks

async function missingOperations(ctx: Context, next: () => Promise<void>): Promise<void> {
  const [bucket = '', ...rest] = ctx.path.slice(1).split('/').map(decodeURIComponent)
  const key = rest.join('/')
  const has = (name: string): boolean => name in ctx.query
  if (bucket && !(await exists(store.getBucketPath(bucket)))) return next()
  if (!key) return ctx.method === 'GET' && has('uploads') ? listUploads(ctx, bucket) : next()
  if (has('uploadId')) {
    const upload = uploadDirectory(bucket, ctx.query.uploadId as string)
    if (!(await exists(upload))) throw new S3Error('NoSuchUpload', 'The specified upload does not exist.')
    if (ctx.method === 'DELETE') {
      await rm(upload, { recursive: true, force: true })
      ctx.status = 204
      return
    }
  }
  if (has('partNumber') && !has('uploadId')) throw new S3Error('InvalidRequest', 'A part needs an uploadId.')
  const writes = (ctx.method === 'PUT' && !has('partNumber')) || (ctx.method === 'POST' && has('uploadId'))
  if (writes && ctx.headers['if-none-match'] === '*' && !flags['ignore-conditions']) {
    return oneAtATime(`${bucket}/${key}`, async () => {
      if (await store.existsObject(bucket, key)) throw preconditionFailed('If-None-Match')
      await next()
    })
  }
  if (ctx.method === 'GET' && ctx.headers['if-match'] && (await store.existsObject(bucket, key))) {
    const { etag } = await store.getMetadata(bucket, key)
    if (etag !== ctx.headers['if-match']) throw preconditionFailed('If-Match')
  }
  await next()
}

const running = new Map<string, Promise<unknown>>()

/** A condition and the write that depends on it belong together. */
async function oneAtATime(key: string, work: () => Promise<void>): Promise<void> {
  const turn = (running.get(key) ?? Promise.resolve()).then(work, work)
  running.set(key, turn)
  try {
    await turn
  } finally {
    if (running.get(key) === turn) running.delete(key)
  }
}

function preconditionFailed(condition: string): Error {
  const message = 'At least one of the pre-conditions you specified did not hold'
  return new S3Error('PreconditionFailed', message, { Condition: condition })
}

async function listUploads(ctx: Context, bucket: string): Promise<void> {
  const root = store.getResourcePath(bucket, undefined, 'uploads')
  const ids = (await exists(root)) ? await readdir(root) : []
  const uploads = await Promise.all(
    ids.map(async (id) => ({
      key: await readFile(join(root, id, 'key'), 'utf8'),
      id,
      initiated: (await stat(join(root, id, 'key'))).mtime,
    })),
  )
  const after = `${ctx.query['key-marker'] ?? ''}\n${ctx.query['upload-id-marker'] ?? ''}`
  const matching = uploads
    .filter((upload) => upload.key.startsWith(ctx.query.prefix ?? '') && `${upload.key}\n${upload.id}` > after)
    .sort((a, b) => (`${a.key}\n${a.id}` < `${b.key}\n${b.id}` ? -1 : 1))
  const page = matching.slice(0, Math.min(1000, Number(ctx.query['max-uploads'] ?? 1000)))
  const last = page.at(-1)
  const truncated = page.length < matching.length
  ctx.type = 'application/xml'
  ctx.body = `<?xml version="1.0" encoding="UTF-8"?>\n<ListMultipartUploadsResult><Bucket>${bucket}</Bucket><IsTruncated>${truncated}</IsTruncated>${
    truncated && last
      ? `<NextKeyMarker>${xml(last.key)}</NextKeyMarker><NextUploadIdMarker>${last.id}</NextUploadIdMarker>`
      : ''
  }${page
    .map(
      (u) =>
        `<Upload><Key>${xml(u.key)}</Key><UploadId>${u.id}</UploadId><Initiated>${u.initiated.toISOString()}</Initiated></Upload>`,
    )
    .join('')}</ListMultipartUploadsResult>`
}

function xml(text: string): string {
  return text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] as string)
}

function uploadDirectory(bucket: string, uploadId: string): string {
  if (!/^\w+$/.test(uploadId)) throw new S3Error('NoSuchUpload', 'The specified upload does not exist.')
  return join(store.getResourcePath(bucket, undefined, 'uploads'), uploadId)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

// --- the store, atomic and in order

function replaceStore(): void {
  store.putObject = async (object) => {
    const { file, size, md5 } = await receive(object.content ?? Readable.from([]))
    await publish(object, file, md5)
    return { size, md5 }
  }

  store.putPart = async (bucket, uploadId, part, content) => {
    const { file, size, md5 } = await receive(content)
    const upload = uploadDirectory(bucket, uploadId)
    await writeFile(join(upload, `${part}.md5`), md5)
    await rename(file, join(upload, part))
    return { size, md5 }
  }

  store.putObjectMultipart = async (bucket, uploadId, parts) => {
    const upload = uploadDirectory(bucket, uploadId)
    const etags = createHash('md5')
    for (const [index, part] of parts.entries()) {
      const md5 = await readFile(join(upload, `${part.number}.md5`), 'utf8').catch(() => undefined)
      if (md5 !== part.etag) throw new S3Error('InvalidPart', `Part ${part.number} could not be found.`)
      const { size } = await stat(join(upload, `${part.number}`))
      const small = index < parts.length - 1 && size < 5 * 1024 * 1024
      if (small) throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
      etags.update(md5, 'hex')
    }
    const key = await readFile(join(upload, 'key'), 'utf8')
    const metadata = JSON.parse(await readFile(join(upload, 'metadata'), 'utf8')) as Record<string, string>
    const whole = join(upload, `${parts[0]?.number}`)
    if (flags.discard) await truncate(whole, await sizeOf(upload, parts))
    for (const part of flags.discard ? [] : parts.slice(1)) {
      await pipeline(createReadStream(join(upload, `${part.number}`)), createWriteStream(whole, { flags: 'a' }))
      await rm(join(upload, `${part.number}`))
    }
    const { size } = await stat(whole)
    const md5 = `${etags.digest('hex')}-${parts.length}`
    await publish(new S3Object(bucket, key, null, metadata), whole, md5)
    await rm(upload, { recursive: true, force: true })
    return { size, md5 }
  }

  store.getObject = async (bucket, key, options) => {
    if (!(await store.existsObject(bucket, key))) return null
    const metadata = await store.getMetadata(bucket, key)
    const size = Number(metadata['content-length'])
    const start = options?.start ?? 0
    const end = Math.min(options?.end ?? Number.POSITIVE_INFINITY, size - 1)
    const whole = options?.start === undefined && options?.end === undefined
    const path = store.getResourcePath(bucket, key, 'object')
    const content = size === 0 || end < start ? Readable.from([]) : createReadStream(path, { start, end })
    const object = new S3Object(bucket, key, whole || start <= end ? content : null, metadata)
    if (!whole) object.range = { start, end }
    return object
  }

  store.deleteObject = async (bucket, key) => {
    for (const file of ['object', 'object.md5', 'metadata.json']) {
      await rm(store.getResourcePath(bucket, key, file), { force: true })
    }
    const directories = key.split('/').slice(0, -1)
    for (; directories.length > 0; directories.pop()) {
      // Another object may appear or go in there meanwhile.
      const removed = await rmdir(join(store.getBucketPath(bucket), ...directories)).catch(() => 'in use')
      if (removed === 'in use') return
    }
  }

  store.listObjects = async (bucket, { startAfter = '', prefix = '', maxKeys }) => {
    const suffix = '._S3rver_object'
    const root = store.getBucketPath(bucket)
    const files = await readdir(root, { recursive: true })
    const keys = files
      .filter((file) => file.endsWith(suffix))
      .map((file) => file.slice(0, -suffix.length))
      .filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const page = keys.slice(0, maxKeys)
    const objects = await Promise.all(
      page.map(async (key) => {
        const metadata = await store.getMetadata(bucket, key).catch(() => undefined)
        return metadata && new S3Object(bucket, key, null, metadata)
      }),
    )
    return {
      objects: objects.filter((o) => o !== undefined),
      commonPrefixes: [],
      isTruncated: page.length < keys.length,
    }
  }
}

async function sizeOf(upload: string, parts: readonly CompletedPart[]): Promise<number> {
  const sizes = await Promise.all(parts.map(async (part) => (await stat(join(upload, `${part.number}`))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** An object appears by a rename: whole, or not at all. */
async function publish(object: StoredObject, file: string, md5: string): Promise<void> {
  const path = store.getResourcePath(object.bucket, object.key, 'object')
  for (;;) {
    await mkdir(dirname(path), { recursive: true })
    try {
      await store.putMetadata(object.bucket, object.key, object.metadata, md5)
      return await rename(file, path)
    } catch (error) {
      // A delete took the directory away in between.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Writes a body beside the buckets and checks what the request promised about it. */
async function receive(content: Readable): Promise<{ file: string; size: number; md5: string }> {
  const file = join(incoming, randomUUID())
  const md5 = createHash('md5')
  const hash = createHash('sha256')
  const promised = (content as Partial<IncomingMessage>).headers ?? {}
  const checksHash = /^[0-9a-f]{64}$/.test(`${promised['x-amz-content-sha256']}`)
  let size = 0
  async function* measured(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      if (!flags.discard) md5.update(chunk)
      if (checksHash) hash.update(chunk)
      size += chunk.length
      if (!flags.discard) yield chunk
    }
  }
  try {
    await pipeline(content, measured, createWriteStream(file))
    if (flags.discard) await truncate(file, size)
    if (promised['content-length'] !== undefined && Number(promised['content-length']) !== size) {
      throw new S3Error('IncompleteBody', 'You did not provide the number of bytes specified by Content-Length')
    }
    if (checksHash && hash.digest('hex') !== promised['x-amz-content-sha256']) {
      throw new S3Error('BadDigest', 'The provided x-amz-content-sha256 header does not match what was received.')
    }
    return { file, size, md5: md5.digest('hex') }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}
