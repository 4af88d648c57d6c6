import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import { finished } from 'node:stream/promises'

/** The S3 operation of a request, as IAM and the SDK name it. */
export type S3Operation =
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'GetObject'
  | 'HeadObject'
  | 'HeadBucket'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'Other'

/** What goes wrong with a request. `after` means that the server has done what was asked before. */
export type Fault =
  /** Answers in the server's place; with `code`, as an S3 error document. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly code?: string
      readonly message?: string
      readonly detail?: Readonly<Record<string, string>>
      readonly headers?: Readonly<Record<string, string>>
      readonly after?: boolean
    }
  /** Closes the connection without an answer. */
  | { readonly kind: 'drop'; readonly after?: boolean }
  /** Never answers, until the client gives up. With `after`, once the server has done it. `onStall` hears of that. */
  | { readonly kind: 'stall'; readonly after?: boolean; readonly onStall?: () => void }
  /** Answers late. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Sends this many bytes of the answer's body, then closes the connection. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends this many bytes of the answer's body, then nothing, with the connection open. */
  | { readonly kind: 'freeze'; readonly afterBytes: number }
  /** Inverts one byte of the answer's body. */
  | { readonly kind: 'flip'; readonly at: number }
  /** Inverts one byte of the request's body. */
  | { readonly kind: 'flip-request'; readonly at: number }

/** Which requests a fault befalls. */
export interface FaultRule {
  readonly on: S3Operation | readonly S3Operation[] | '*'
  /** Lets this many matching requests pass first. Default 0. */
  readonly skip?: number
  /** Befalls this many requests, then no more. Default 1; `Infinity` for all. */
  readonly times?: number
  readonly fault: Fault
}

/** A request as the proxy saw it. */
export interface SeenRequest {
  readonly operation: S3Operation
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** A proxy between a client and an HTTP server that misbehaves as told. */
export interface FaultyProxy {
  readonly endpoint: string
  /** Every request since the start or the last `clear()`. */
  readonly seen: readonly SeenRequest[]
  /** How many were of an operation. */
  count(operation: S3Operation): number
  /** Adds a fault. The first rule that matches and is not used up befalls a request. */
  inject(rule: FaultRule): { readonly hits: number }
  /** Called with each request before it is forwarded; what it awaits happens first. */
  before(hook: ((seen: SeenRequest) => Promise<void> | void) | undefined): void
  /** Forgets all faults, requests and the hook. */
  clear(): void
  stop(): Promise<void>
}

interface ActiveRule extends FaultRule {
  passed: number
  hits: number
}

/**
 * Starts a proxy before `target`, on a free loopback port. Headers go through untouched, `Host` among them, because
 * signatures cover it.
 */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const upstream = new URL(target)
  let rules: ActiveRule[] = []
  let seen: SeenRequest[] = []
  let hook: ((seen: SeenRequest) => Promise<void> | void) | undefined

  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch(() => incoming.socket.destroy())
  })

  async function handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const entry: SeenRequest = { operation: operationOf(method, url, headers), method, url, headers }
    seen.push(entry)
    await hook?.(entry)
    await serve(upstream, incoming, answer, faultFor(entry.operation))
  }

  function faultFor(operation: S3Operation): Fault | undefined {
    for (const rule of rules) {
      if (rule.on !== '*' && ![rule.on].flat().includes(operation)) continue
      if (rule.hits >= (rule.times ?? 1)) continue
      if (rule.passed < (rule.skip ?? 0)) {
        rule.passed += 1
        continue
      }
      rule.hits += 1
      return rule.fault
    }
    return undefined
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen
    },
    count: (operation) => seen.filter((entry) => entry.operation === operation).length,
    inject(rule) {
      const active: ActiveRule = { ...rule, passed: 0, hits: 0 }
      rules.push(active)
      return active
    },
    before(next) {
      hook = next
    },
    clear() {
      rules = []
      seen = []
      hook = undefined
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(
  to: URL,
  incoming: IncomingMessage,
  answer: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind !== 'answer' && fault?.kind !== 'drop' && fault?.kind !== 'stall') {
    return reply(await forward(to, incoming, answer, fault), answer, fault)
  }
  if (fault.after) {
    const response = await forward(to, incoming, answer, undefined)
    response.resume()
    await finished(response)
  } else if (fault.kind !== 'stall') {
    incoming.resume()
    await finished(incoming)
  }
  if (fault.kind === 'drop') incoming.socket.destroy()
  if (fault.kind === 'answer') refuse(incoming, answer, fault)
  // A stalled request is left as it is: its body is not read, nothing is answered.
  if (fault.kind === 'stall') fault.onStall?.()
}

async function forward(
  to: URL,
  incoming: IncomingMessage,
  answer: ServerResponse,
  fault: Fault | undefined,
): Promise<IncomingMessage> {
  const outgoing = request({
    host: to.hostname,
    port: to.port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.rawHeaders,
    setHost: false,
  })
  const body = fault?.kind === 'flip-request' ? incoming.pipe(flip(fault.at)) : incoming
  answer.once('close', () => {
    if (!answer.writableFinished) outgoing.destroy() // the client has gone
  })
  body.pipe(outgoing)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

async function reply(response: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): Promise<void> {
  if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
  answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
  if (fault?.kind === 'cut' || fault?.kind === 'freeze') {
    let left = fault.afterBytes
    for await (const chunk of response as AsyncIterable<Buffer>) {
      answer.write(chunk.subarray(0, left))
      left -= Math.min(left, chunk.length)
      if (left === 0) break
    }
    if (fault.kind === 'cut') answer.write('', () => answer.socket?.destroySoon())
    return
  }
  const body = fault?.kind === 'flip' ? response.pipe(flip(fault.at)) : response
  response.on('error', () => answer.destroy())
  body.pipe(answer)
}

function refuse(incoming: IncomingMessage, answer: ServerResponse, fault: Fault & { kind: 'answer' }): void {
  const detail = Object.entries(fault.detail ?? {}).map(([name, value]) => `<${name}>${value}</${name}>`)
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${fault.code}</Code><Message>${
    fault.message ?? fault.code
  }</Message>${detail.join('')}<RequestId>PROXY</RequestId></Error>`
  const body = fault.code && incoming.method !== 'HEAD' ? document : ''
  answer.writeHead(fault.status, {
    'content-type': 'application/xml',
    date: new Date().toUTCString(),
    ...fault.headers,
  })
  answer.end(body)
}

function flip(at: number): Transform {
  let position = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const index = at - position
      position += chunk.length
      if (index < 0 || index >= chunk.length) return done(null, chunk)
      const changed = Buffer.from(chunk)
      changed[index] = ~(changed[index] as number) & 0xff
      done(null, changed)
    },
  })
}

function operationOf(method: string, url: string, headers: IncomingMessage['headers']): S3Operation {
  const { pathname, searchParams: query } = new URL(url, 'http://host')
  const inBucket = pathname.split('/').filter(Boolean).length < 2
  if (headers['x-amz-copy-source']) return 'Other'
  if (method === 'HEAD') return inBucket ? 'HeadBucket' : 'HeadObject'
  if (method === 'GET' && inBucket) {
    if (query.has('uploads')) return 'ListMultipartUploads'
    return query.get('list-type') === '2' ? 'ListObjectsV2' : 'Other'
  }
  if (inBucket) return 'Other'
  if (method === 'GET') return 'GetObject'
  if (method === 'PUT') return query.has('partNumber') ? 'UploadPart' : 'PutObject'
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
  return 'Other'
}
