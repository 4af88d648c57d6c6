import { type Connection, connect } from './client.js'
import type { ResolvedS3Options } from './options.js'

/** Where a storage keeps its objects, and the way there. */
export interface Place {
  readonly options: ResolvedS3Options
  readonly bucket: string
  /** Before every key: empty, or ends in `/`. */
  readonly prefix: string
  /** `s3://bucket/prefix`, and `at host:port` for a service other than AWS: buckets of one name are many. */
  readonly display: string
  /** How messages call an object: its key within {@link display}. */
  objectName(key: string): string
  /** Whether exclusive puts send `If-None-Match`. Turned off once the service refuses the header. */
  readonly conditions: { sent: boolean }
  /** Whether the bucket has answered before. */
  readonly bucketSeen: { yes: boolean }
  /** The client, made at the first call. */
  connection(): Promise<Connection>
  /** Ends the client's connections, if there is one. */
  disconnect(): Promise<void>
}

export function createPlace(options: ResolvedS3Options): Place {
  let connecting: Promise<Connection> | undefined
  const url = ['s3:/', options.bucket, options.prefix].filter((part) => part !== '').join('/')
  const at = options.endpoint === undefined ? '' : ` at ${placeOf(options.endpoint)}`
  return {
    options,
    bucket: options.bucket,
    prefix: options.prefix === '' ? '' : `${options.prefix}/`,
    display: url + at,
    objectName: (key) => `${url}/${key}${at}`,
    conditions: { sent: true },
    bucketSeen: { yes: false },
    connection() {
      connecting ??= connect(options).catch((error: unknown) => {
        connecting = undefined // a later call may succeed
        throw error
      })
      return connecting
    },
    async disconnect() {
      const connection = await connecting?.catch(() => undefined)
      connection?.client.destroy()
    },
  }
}

/** `host:port` of an endpoint, and its path if it has one. */
function placeOf(endpoint: string): string {
  const { host, pathname } = new URL(endpoint)
  return host + pathname.replace(/\/+$/, '')
}
