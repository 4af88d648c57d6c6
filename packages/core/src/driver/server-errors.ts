import type { ErrorMeaning } from './program-verdict.js'

/** A database server gives no answer. */
export const serverAway: ErrorMeaning = {
  code: 'source-unreachable',
  retryable: true,
  hint: 'Check host and port, that the server runs, and that a firewall lets this machine in.',
}

/**
 * What the code of an error of a socket or of TLS means for who asked a database server: `ECONNREFUSED`,
 * `CERT_HAS_EXPIRED`.
 *
 * @param tlsHint - Which options say how a certificate is checked.
 * @returns `undefined` for any other code.
 */
export function socketMeaning(code: string, tlsHint: string): ErrorMeaning | undefined {
  if (/^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|EPROTO)/.test(code)) {
    return { code: 'source-unreachable', hint: tlsHint }
  }
  if (/^(ECONN|ENOTFOUND|EHOST|ENET|ETIMEDOUT|EPIPE|EAI_|ENOENT|EADDR)/.test(code)) return serverAway
  return undefined
}
