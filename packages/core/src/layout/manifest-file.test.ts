import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Manifest } from './manifest.js'
import { decodeManifest, encodeManifest } from './manifest-file.js'
import { baseKey } from './object-names.js'

const manifest: Manifest = {
  formatVersion: 1,
  id: '01957a3c-0000-7000-8000-0123456789ab',
  layout: 'whole/1',
  job: 'shop',
  type: 'daily',
  database: 'shöp "quoted"\n🐚',
  engine: 'postgres',
  serverVersion: '15.18',
  tools: { pg_dump: '15.18' },
  options: { format: 'custom', encoding: 'UTF8' },
  startedAt: '2026-03-09T04:05:06.789Z',
  endedAt: '2026-03-09T04:05:07.000Z',
  label: 'before the migration',
  copies: [
    { storage: 'disk', status: 'complete' },
    { storage: 'offsite', status: 'failed' },
  ],
  parts: [
    {
      name: 'dump',
      mediaType: 'application/vnd.postgresql.custom-dump',
      key: 'shop/2026/03/shop_daily_20260309_040506_456789ab.dump.zst',
      storedBytes: 12,
      storedSha256: 'a'.repeat(64),
      plainBytes: 99,
      plainSha256: 'b'.repeat(64),
      codec: 'zstd',
      cipher: { id: 'age', keyIds: ['age1x'] },
      trailer: '-- done',
    },
  ],
  inventory: { level: 'counts', exact: true, tables: [{ schema: 'public', name: 'items', rows: 3 }] },
  warnings: ['something odd'],
  holdfast: '0.1.0',
  recover: 'zstd -dc < x | pg_restore',
}

describe('a manifest file', () => {
  it('reads back as it was written', () => {
    expect(decodeManifest(encodeManifest(manifest), 'x')).toEqual(manifest)
  })

  it('is found damaged whichever byte is flipped, and wherever it is cut', () => {
    const file = encodeManifest(manifest)
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const flipped = Buffer.from(file)
        flipped.writeUInt8(file.readUInt8(at) ^ mask, at)
        expect(() => decodeManifest(flipped, 'x')).toThrow(/is damaged|has format version/)
        expect(() => decodeManifest(file.subarray(0, at), 'x')).toThrow(/is damaged/)
      }),
      { numRuns: 1_000 },
    )
  })

  it('can be checked with the shell lines of docs/format.md', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-manifest-'))
    try {
      const path = join(directory, 'manifest.json')
      writeFileSync(path, encodeManifest(manifest))
      const run = (script: string): string =>
        execFileSync('sh', ['-c', script], { env: { ...process.env, m: path } }).toString()
      const computed = run(`{ head -c 22 "$m"; printf '%064d' 0; tail -c +87 "$m"; } | sha256sum`).slice(0, 64)
      expect(computed).toBe(run('head -c 86 "$m" | tail -c 64'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('of a later version is refused with that reason, even if its digest were made another way', () => {
    const later = Buffer.from(JSON.stringify({ digest: 'blake3:…', formatVersion: 2 }))
    expect(() => decodeManifest(later, 'x')).toThrow(
      expect.objectContaining({ code: 'manifest-too-new', message: expect.stringContaining('version 2') }),
    )
  })

  it.each([
    ['null', 'null'],
    ['another document', '{"a":1}'],
    ['nothing', ''],
  ])('that is %s is refused', (_, text) => {
    expect(() => decodeManifest(Buffer.from(text), 'x')).toThrow(expect.objectContaining({ code: 'manifest-invalid' }))
  })

  it('whose digest is right but whose content is not names the field', () => {
    const wrong = encodeManifest({ ...manifest, parts: [] })
    expect(() => decodeManifest(wrong, 'x')).toThrow(/parts/)
  })

  it('that is nested deeper than programs can print is not believed', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : { a: nested(levels - 1) })
    const inside = { ...manifest, options: { a: nested(31) } }
    expect(decodeManifest(encodeManifest(inside), 'm.json')).toEqual(inside)
    const beyond = encodeManifest({ ...manifest, options: { a: nested(32) } })
    expect(() => decodeManifest(beyond, 'm.json')).toThrow(
      'The manifest m.json is damaged: options: is nested too deep',
    )
  })

  it('that names a part twice is not believed', () => {
    const named = { ...manifest, parts: [...manifest.parts, ...manifest.parts] }
    const base = baseKey({ ...manifest, startedAt: new Date(manifest.startedAt) })
    expect(() => decodeManifest(encodeManifest(named), 'x', base)).toThrow('it names a part twice')
  })

  it('that names an object twice is not believed: it would look larger than it is to retention by size', () => {
    const base = baseKey({ ...manifest, startedAt: new Date(manifest.startedAt) })
    const [part] = manifest.parts as [Manifest['parts'][number]]
    const parts = ['dump', 'dum'].map((name) => ({ ...part, name, key: `${base}.dump.zst` }))
    expect(() => decodeManifest(encodeManifest({ ...manifest, parts }), 'x', base)).toThrow('it names an object twice')
  })

  it('may hold fields of a later minor version', () => {
    const extended = encodeManifest({ ...manifest, novelty: true } as Manifest)
    expect(decodeManifest(extended, 'x')).toEqual(manifest)
  })
})
