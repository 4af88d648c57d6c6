import assert from 'node:assert/strict'
import { streamOf } from '../../byte-stream.js'
import { maxKeyBytes } from '../../storage/object-key.js'
import { trackBody } from './bodies.js'
import { assertAbsent, assertCode, assertHolds, digestOf, listKeys, within } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

const oddKeys = [
  'with space and  two',
  ' leading and trailing ',
  'ünïcødé/日本語/кириллица',
  'e\u0301 is e and an accent',
  'emoji-🐘-👩🏽‍💻',
  `quotes'"\`and<angles>`,
  'plus+and+plus',
  'percent%2Fencoded%20%',
  'a&b=c;d,e',
  'hash#and?query=1',
  'colon:at@star*pipe|tilde~',
  '$dollar$(id)!bang',
  '[brackets]{braces}(parens)^',
  '.holdfast/storage.json',
  '.hidden/..double/...triple',
  'trailing.dots./x...',
  '-leading-hyphen/--flag',
  'UPPER/Mixed/lower',
  'a'.repeat(200),
]

/** What no storage takes. Each is tried after the case's prefix, except those that begin with `/`. */
const invalidKeys = [
  '../outside',
  'a/../../outside',
  'a/..',
  '..',
  '.',
  './a',
  'a/./b',
  '/absolute',
  '/etc/passwd',
  'nul\0byte',
  'line\nbreak',
  'back\\slash',
  '..\\outside',
  'a//b',
  'a/',
  '/',
  'x'.repeat(201),
  `${'y'.repeat(150)}/${'y'.repeat(150)}/${'y'.repeat(150)}/${'y'.repeat(150)}`,
  'lone\ud800surrogate',
]

/** Odd keys are kept exactly; impossible ones are refused before anything happens. */
export const keyCases: readonly StorageCase[] = [
  storageCase('keys: odd ones are kept exactly', async ({ storage, prefix, ctx }) => {
    const keys = [...oddKeys, longest(prefix)].map((key) => prefix + key)
    for (const key of keys) await storage.put(key, streamOf(Buffer.from(key)), { ifAbsent: true }, ctx)
    assert.deepEqual(await listKeys(storage, prefix, ctx), keys.toSorted())
    for (const key of keys) await assertHolds(storage, key, Buffer.from(key), ctx)
    for (const key of keys) {
      await storage.delete(key, ctx)
      await assertAbsent(storage, key, ctx)
    }
    assert.deepEqual(await listKeys(storage, prefix, ctx), [])
  }),

  storageCase('keys: impossible ones are refused, and nothing is touched', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}a/bystander`, streamOf(Buffer.from('x')), {}, ctx)
    for (const suffix of ['', ...invalidKeys]) {
      const key = suffix === '' || suffix.startsWith('/') ? suffix : prefix + suffix
      const body = trackBody(streamOf(Buffer.from('never read')))
      await assertCode(storage.put(key, body, {}, ctx), 'invalid-key')
      assert.equal(body.pulls, 0, `the body for ${JSON.stringify(key)} was not read`)
      await within(body.closed, 'the iterator of the refused body is returned')
      await assertCode(digestOf(storage.get(key, undefined, ctx)), 'invalid-key')
      await assertCode(storage.stat(key, ctx), 'invalid-key')
      await assertCode(storage.delete(key, ctx), 'invalid-key')
    }
    assert.deepEqual(await listKeys(storage, prefix, ctx), [`${prefix}a/bystander`])
  }),
]

/** What fills a key up to the most bytes that are allowed. */
function longest(prefix: string): string {
  const length = maxKeyBytes - Buffer.byteLength(prefix)
  return Array.from({ length }, (_, at) => (at % 100 === 50 ? '/' : 'k'))
    .join('')
    .replace(/\/$/, 'k')
}
