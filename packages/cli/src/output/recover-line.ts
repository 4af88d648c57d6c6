import type { Manifest } from '@holdfast/core'

const decrypts = new Map([
  ['age', ['age -d -i key.txt', 'age -d']],
  ['gpg', ['gpg --quiet --decrypt']],
])
const decompresses = new Map([
  ['zstd', ['zstd -dc']],
  ['gzip', ['gzip -dc']],
])

/** What the drivers of this repository end the line with: flags, and no value that names another place. */
const client =
  /^(?:(?:pg_restore|psql|mysql|mariadb)(?: -X| -v ON_ERROR_STOP=1| --[a-z-]+| --max-allowed-packet=\w+| --default-character-set=\w+)* (?:--dbname=)?TARGET|cat > TARGET\.db)$/

/**
 * Whether a manifest's `recover` is as Holdfast writes it: stored object → decrypt → decompress → the engine's client.
 * The digest of a manifest is no signature, so anything may stand there, and it is meant to be pasted into a shell.
 */
export function isUsualRecoverLine({ recover, parts }: Pick<Manifest, 'recover' | 'parts'>): boolean {
  const [part] = parts
  if (!part) return false
  const input = ` < ${part.key.slice(part.key.lastIndexOf('/') + 1)}`
  const [first = '', ...rest] = recover.split(' | ')
  if (!first.endsWith(input)) return false
  const commands = [first.slice(0, -input.length), ...rest]
  const filters = [
    ...(part.cipher ? [decrypts.get(part.cipher.id)] : []),
    ...(part.codec === 'none' ? [] : [decompresses.get(part.codec)]),
  ]
  return (
    commands.length === filters.length + 1 &&
    filters.every((usual, index) => usual?.includes(commands[index] ?? '')) &&
    client.test(commands.at(-1) ?? '')
  )
}
