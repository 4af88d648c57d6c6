import { createHmac } from 'node:crypto'

/** A host key of a known_hosts file. */
export interface KnownKey {
  /** For example `ssh-ed25519`. */
  readonly type: string
  /** As the server sends it. */
  readonly blob: Buffer
  readonly isRevoked: boolean
}

/**
 * The keys that the text of a known_hosts file (sshd(8)) has for a host: names, wildcards, negations, hashed names and
 * `[host]:port`. Certificate authorities are passed over, as certificates of hosts are not spoken here.
 */
export function knownKeys(text: string, host: string, port: number): KnownKey[] {
  const name = hostName(host, port)
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [names, type, blob] = fields
    if (!names || names.startsWith('#') || !type || !blob || marker === '@cert-authority') return []
    if (!isNamed(names, name)) return []
    return [{ type, blob: Buffer.from(blob, 'base64'), isRevoked: marker === '@revoked' }]
  })
}

/** What a host is called in known_hosts. */
export function hostName(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith('|')) return isHashOf(names, name)
  const patterns = names.toLowerCase().split(',')
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1), name))) return false
  return patterns.some((pattern) => matches(pattern, name))
}

/** `|1|salt|HMAC-SHA1(salt, name)`. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = hashed.split('|')
  if (version !== '1') return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(hash, 'base64'))
}

function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name)
}
