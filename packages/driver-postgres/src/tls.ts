import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { BackupError, messageOf } from '@holdfast/core'
import type { Connection, Endpoint } from './connection.js'

/**
 * What libpq's `sslmode` and certificate files mean for `pg`: the attempts to make, in order. `prefer` tries TLS
 * first and then without, `allow` the other way round; both check nothing, as libpq.
 *
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 * @throws {BackupError} `config-invalid` for a certificate file that cannot be read.
 */
export function tlsAttempts(connection: Connection, endpoint: Endpoint): readonly (ConnectionOptions | false)[] {
  if (endpoint.host.startsWith('/') || connection.sslmode === 'disable') return [false]
  const tls = tlsOptions(connection, endpoint)
  if (connection.sslmode === 'allow') return [false, tls]
  return connection.sslmode === 'prefer' ? [tls, false] : [tls]
}

function tlsOptions({ sslmode, keywords }: Connection, { host }: Endpoint): ConnectionOptions {
  const { sslrootcert, sslcert, sslkey } = keywords
  const ca = rootCertificates(sslrootcert)
  // libpq checks the certificate under `require` too, once it has been told whom to trust.
  const verify = sslmode.startsWith('verify') || (sslmode === 'require' && sslrootcert !== undefined)
  return {
    host,
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca }),
    ...(sslcert ? { cert: readCertificate(sslcert) } : {}),
    ...(sslkey ? { key: readCertificate(sslkey) } : {}),
    ...(sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

function rootCertificates(sslrootcert: string | undefined): string | undefined {
  if (sslrootcert === 'system') return undefined
  if (sslrootcert) return readCertificate(sslrootcert)
  const own = join(homedir(), '.postgresql', 'root.crt')
  return existsSync(own) ? readCertificate(own) : undefined
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The certificate file ${path} cannot be read: ${messageOf(error)}`,
      hint: 'Check the path and its permissions: sslrootcert, sslcert, sslkey, or ~/.postgresql/root.crt.',
      cause: error,
    })
  }
}
