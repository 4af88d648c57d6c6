/** What a file is wrapped in, from outside in. */
export type Wrapping = 'gzip' | 'zstd' | 'age' | 'age-armor' | 'gpg'

/** Bytes of the beginning that {@link wrappingOf} and the recognition of dumps look at. */
export const headBytes: number = 64 * 1024

/** How a file is wrapped, by its first bytes; `undefined` for one that is not. */
export function wrappingOf(head: Buffer): Wrapping | undefined {
  if (begins(head, [0x1f, 0x8b])) return 'gzip'
  if (begins(head, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableZstd(head)) return 'zstd'
  if (head.subarray(0, 22).toString('latin1') === 'age-encryption.org/v1\n') return 'age'
  const start = head.subarray(0, 256).toString('latin1').trimStart()
  if (start.startsWith('-----BEGIN AGE ENCRYPTED FILE-----')) return 'age-armor'
  if (start.startsWith('-----BEGIN PGP MESSAGE-----') || isEncryptedPgp(head)) return 'gpg'
  return undefined
}

/** What a file is that is neither a dump nor wrapped in anything that is read here, and what to do about it. */
export function strangerOf(head: Buffer): { readonly is: string; readonly hint: string } | undefined {
  const found = strangers.find(({ magic, at = 0 }) => begins(head.subarray(at), magic))
  if (found) return found
  const isUtf16 = begins(head, [0xff, 0xfe]) || begins(head, [0xfe, 0xff])
  if (!isUtf16) return undefined
  return {
    is: 'text in UTF-16, as PowerShell writes what is redirected with >',
    hint: 'Its bytes were changed on the way. Make the dump again with the option --file of the dump program.',
  }
}

const decompress = (program: string): string =>
  `Decompress it first: ${program} -dc FILE | holdfast restore - --into URL`

const strangers: readonly {
  readonly magic: readonly number[]
  readonly at?: number
  readonly is: string
  readonly hint: string
}[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], is: 'compressed with xz', hint: decompress('xz') },
  { magic: [0x42, 0x5a, 0x68], is: 'compressed with bzip2', hint: decompress('bzip2') },
  { magic: [0x04, 0x22, 0x4d, 0x18], is: 'compressed with lz4', hint: decompress('lz4') },
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    is: 'a zip archive',
    hint: 'Unpack it first, and restore the dump that is in it.',
  },
  {
    magic: [...Buffer.from('ustar')],
    at: 257,
    is: 'a tar archive',
    hint: 'One of pg_dump --format=tar is restored with pg_restore; else unpack it, and restore the dump that is in it.',
  },
]

function begins(head: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte)
}

/** RFC 8878, section 3.1.2: 0x184D2A50 to 0x184D2A5F, little-endian. */
function isSkippableZstd(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE() >>> 4 === 0x184d2a5
}

/**
 * A binary OpenPGP message begins with a session key, encrypted for somebody (tag 1) or by a passphrase (tag 3), or
 * with a marker (tag 10); RFC 9580, sections 4.2 and 5. Text never has the highest bit set in its first byte here.
 */
function isEncryptedPgp(head: Buffer): boolean {
  const [first = 0, second = 0] = head
  if ((first & 0b1000_0000) === 0) return false
  const isNew = (first & 0b0100_0000) !== 0
  const tag = isNew ? first & 0b11_1111 : (first >>> 2) & 0b1111
  if (tag === 10) return true
  if (tag !== 1 && tag !== 3) return false
  const lengthBytes = isNew ? (second < 192 ? 1 : second < 224 ? 2 : 5) : 1 << (first & 0b11)
  const version = head[1 + lengthBytes] ?? 0
  return tag === 1 ? version === 3 || version === 6 : version >= 4 && version <= 6
}
