import { messageOf } from '@holdfast/core'
import type { Endpoint } from './connection.js'

/** A run asks the server several times; a server that gets a certificate meanwhile is not missed for long. */
const rememberedForMs = 60_000

const until = new Map<string, number>()
const keyOf = ({ host, hostaddr, port }: Endpoint): string => `${hostaddr ?? host}:${port}`

/** Whether the server said within the last minute that it has no TLS: `sslmode=prefer` need not ask it again. */
export function isWithoutTls(endpoint: Endpoint): boolean {
  return performance.now() < (until.get(keyOf(endpoint)) ?? 0)
}

/** The server has no TLS. */
export function rememberWithoutTls(endpoint: Endpoint): void {
  until.set(keyOf(endpoint), performance.now() + rememberedForMs)
}

/** What `pg` says when a server answers the request for TLS with a plain no. */
export function saysNoTls(error: unknown): boolean {
  return messageOf(error).includes('does not support SSL')
}
