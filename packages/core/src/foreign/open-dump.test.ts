import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import { createRunContext } from '../run-context.js'
import { type DumpFile, dumpFromStream } from './dump-file.js'
import { openDump } from './open-dump.js'

const ctx = createRunContext()

const postgres = `--
-- PostgreSQL database dump
--

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 16.2

SET statement_timeout = 0;
CREATE TABLE public.t (a text);
COPY public.t (a) FROM stdin;
DROP table of a joiner
\\\\connect the dots
\\.

--
-- PostgreSQL database dump complete
--

`
const mariadb = `/*M!999999\\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: odd shop
-- ------------------------------------------------------
-- Server version\t10.11.6-MariaDB-0+deb12u1
CREATE TABLE \`t\` (\`a\` int);
INSERT INTO \`t\` VALUES ('
USE \`everything\`');
-- Dump completed on 2026-11-20 12:00:00
`
const mysql = mariadb
  .replace(/^.*\n/, '')
  .replace('MariaDB dump 10.19  Distrib 10.11.6-MariaDB', 'MySQL dump 10.13  Distrib 8.0.36')
  .replace('10.11.6-MariaDB-0+deb12u1', '8.0.36')

/** Reverses bytes behind its name: enough to see that it was used. */
const reversing = (id: string, magic: Buffer): Cipher => ({
  id,
  extension: `.${id}`,
  decryptCommand: '',
  keyIds: [],
  canDecrypt: true,
  encrypt: (plain) => plain,
  async *decrypt(encrypted) {
    yield (await readAll(encrypted)).subarray(magic.length).reverse()
  },
})
const ageMagic = Buffer.from('age-encryption.org/v1\n')
const gpgMagic = Buffer.from([0x85, 0x02, 0x0c, 0x03])
const ciphers = [reversing('age', ageMagic), reversing('gpg', gpgMagic)]
const sealed = (magic: Buffer, plain: Buffer): Buffer => Buffer.concat([magic, Buffer.from(plain).reverse()])
const armored = (bytes: Buffer): Buffer => {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n')
  return Buffer.from(`-----BEGIN AGE ENCRYPTED FILE-----\n${lines}\n-----END AGE ENCRYPTED FILE-----\n`)
}

function file(content: Buffer | string, chunkBytes = 1000, once = false): DumpFile {
  const bytes = Buffer.from(content)
  async function* body() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  if (once) return dumpFromStream('standard input', body())
  return { name: 'shop.sql.gz', display: '/backups/shop.sql.gz', once, open: body }
}

async function read(given: DumpFile): Promise<string> {
  await using dump = await openDump(given, { ciphers }, ctx)
  const [part] = dump.source.parts
  return (await readAll(dump.source.open(part?.name ?? '', ctx))).toString()
}

describe('a dump is known by its content', () => {
  it.each<[string, Buffer | string, object, string]>([
    [
      'a plain dump of pg_dump',
      postgres,
      {
        engine: 'postgres',
        serverVersion: '15.18 (Debian 15.18-0+deb12u1)',
        tools: { pg_dump: '16.2' },
        options: { format: 'plain' },
      },
      'sql',
    ],
    [
      'a plain dump that drops first',
      postgres.replace('CREATE', 'DROP TABLE public.t;\nCREATE'),
      { options: { format: 'plain', clean: true } },
      'sql',
    ],
    [
      'a plain dump without versions',
      postgres.replaceAll(/^-- Dumped .*\n/gm, ''),
      { engine: 'postgres', serverVersion: '', tools: {} },
      'sql',
    ],
    [
      'a dump of MariaDB without the version of its server',
      mariadb.replace(/^-- Server version.*\n/m, ''),
      { database: 'odd shop', engine: 'mysql', serverVersion: '' },
      'sql',
    ],
    ['a custom dump of pg_dump', 'PGDMP\u0001', { engine: 'postgres', options: { format: 'custom' } }, 'dump'],
    [
      'a dump of MariaDB',
      mariadb,
      {
        database: 'odd shop',
        engine: 'mysql',
        serverVersion: '10.11.6-MariaDB-0+deb12u1',
        options: { flavour: 'mariadb' },
      },
      'sql',
    ],
    [
      'a dump of MariaDB 11 or newer',
      mariadb.replace('10.19  Distrib 10.11.6', '10.20-11.8.9'),
      { database: 'odd shop', tools: { 'mariadb-dump': '11.8.9-MariaDB' }, options: { flavour: 'mariadb' } },
      'sql',
    ],
    [
      'a dump of MySQL',
      mysql,
      { database: 'odd shop', engine: 'mysql', tools: { mysqldump: '8.0.36' }, options: { flavour: 'mysql' } },
      'sql',
    ],
    ['a database of SQLite', 'SQLite format 3\0…', { engine: 'sqlite' }, 'sqlite'],
  ])('%s', async (_, content, manifest, part) => {
    await using dump = await openDump(file(content), { ciphers }, ctx)
    expect(dump.source.manifest).toMatchObject({ database: 'shop', ...manifest })
    expect(dump.source.parts.map(({ name }) => name)).toEqual([part])
    expect(dump.wrappings).toEqual([])
    expect(await read(file(content))).toBe(content.toString())
    expect(() => dump.source.open('globals.sql', ctx)).toThrow('has no part globals.sql')
  })

  it.each<[string, Buffer, string[]]>([
    ['gzip', gzipSync(postgres), ['gzip']],
    [
      'gzip of several members',
      Buffer.concat([gzipSync(postgres.slice(0, 99)), gzipSync(postgres.slice(99))]),
      ['gzip'],
    ],
    ['zstd', zstdCompressSync(postgres), ['zstd']],
    [
      'zstd of several frames',
      Buffer.concat([zstdCompressSync(postgres.slice(0, 99)), zstdCompressSync(postgres.slice(99))]),
      ['zstd'],
    ],
    ['age', sealed(ageMagic, Buffer.from(postgres)), ['age']],
    ['gpg', sealed(gpgMagic, Buffer.from(postgres)), ['gpg']],
    ['age around zstd', sealed(ageMagic, zstdCompressSync(postgres)), ['age', 'zstd']],
    ['gzip around gpg around gzip', gzipSync(sealed(gpgMagic, gzipSync(postgres))), ['gzip', 'gpg', 'gzip']],
    ['armored age', armored(sealed(ageMagic, Buffer.from(postgres))), ['age-armor', 'age']],
  ])('in %s, however it is cut, from a file and from a stream', async (_, content, wrappings) => {
    await using dump = await openDump(file(content), { ciphers }, ctx)
    expect(dump.wrappings).toEqual(wrappings)
    for (const chunk of [1, 7, 100_000]) {
      expect(await read(file(content, chunk))).toBe(postgres)
      expect(await read(file(content, chunk, true))).toBe(postgres)
    }
    await dump.readThrough(ctx)
  })
})

describe('a dump that is not whole', () => {
  it.each<[string, Buffer]>([
    ['without its end', Buffer.from(postgres.slice(0, -60))],
    ['cut in gzip', gzipSync(postgres).subarray(0, -20)],
    ['cut in zstd', zstdCompressSync(postgres).subarray(0, -3)],
    ['damaged in gzip', flipped(gzipSync(postgres), -6)],
    ['something after its end', Buffer.concat([zstdCompressSync(postgres), Buffer.from('more')])],
    ['cut in armor', armored(sealed(ageMagic, Buffer.from(postgres))).subarray(0, -36)],
    ['damaged in armor', flipped(armored(sealed(ageMagic, Buffer.from(postgres))), 200, 0x80)],
    [
      'with text after its armor',
      Buffer.concat([armored(sealed(ageMagic, Buffer.from(postgres))), Buffer.from('more\n')]),
    ],
  ])('%s throws instead of ending', async (_, content) => {
    await expect(read(file(content))).rejects.toMatchObject({ code: 'corrupt' })
    await expect(read(file(content, 1000, true))).rejects.toMatchObject({ code: 'corrupt' })
  })

  function flipped(bytes: Buffer, at: number, bits = 1): Buffer {
    const index = at < 0 ? bytes.length + at : at
    bytes[index] = (bytes[index] ?? 0) ^ bits
    return bytes
  }
})

describe('what is no dump that can be restored', () => {
  it.each<[string, Buffer | string, RegExp, RegExp]>([
    ['nothing', '', /is empty/, /no dump/],
    ['any text', 'Dear Sir or Madam', /no dump that is known/, /pg_dump/],
    ['other SQL', 'create table t (a int);', /no dump that is known/, /by hand/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), /compressed with xz/, /xz -dc/],
    ['zip', 'PK\u0003\u0004', /zip archive/, /Unpack/],
    ['tar', `${'toc.dat'.padEnd(257, '\0')}ustar`, /tar archive/, /pg_restore/],
    ['UTF-16', Buffer.from('\ufeff-- PostgreSQL', 'utf16le'), /UTF-16/, /--file/],
    ['pg_dumpall', '--\n-- PostgreSQL database cluster dump\n--\n', /pg_dumpall/, /psql/],
    ['pg_dump --create', postgres.replace('CREATE', 'CREATE DATABASE x;\n\\connect x\nCREATE'), /--create/, /by hand/],
    ['mysqldump --databases', mariadb.replace('CREATE', 'USE `shop`;\nCREATE'), /--databases/, /one database/],
    ['a dump without comments', mariadb.replaceAll(/^-- .*\n/gm, ''), /without comments/, /skip-comments/],
    ['.dump of sqlite3', 'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n', /SQLite database/, /sqlite3 new\.db/],
    [
      'too many wrappings',
      Array.from({ length: 9 }).reduce<Buffer>((inner) => gzipSync(inner), Buffer.from(postgres)),
      /more than 8 times/,
      /by hand/,
    ],
  ])('%s is refused', async (_, content, message, hint) => {
    await expect(openDump(file(content), { ciphers }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
  })

  it.each([
    ['age', sealed(ageMagic, Buffer.from(postgres)), /--identity/],
    ['gpg', sealed(gpgMagic, Buffer.from(postgres)), /keyring/],
    ['gpg', Buffer.from('-----BEGIN PGP MESSAGE-----\n\nhQ'), /keyring/],
  ])('encrypted with %s, and no key', async (_, content, hint) => {
    for (const none of [[], ciphers.map((cipher) => ({ ...cipher, canDecrypt: false }))]) {
      await expect(openDump(file(content), { ciphers: none }, ctx)).rejects.toMatchObject({
        code: 'wrong-key',
        hint: expect.stringMatching(hint),
      })
    }
  })
})

it('a dump is called after its file, of whatever that is called', async () => {
  const named = async (name: string): Promise<string> => {
    await using dump = await openDump({ ...file(postgres), name }, { ciphers }, ctx)
    return dump.source.manifest.database
  }
  expect([await named('shop.2026.sql.gz.age'), await named('.sql')]).toEqual(['shop.2026', '.sql'])
})

it('a stream is not read before it is restored: it comes once', async () => {
  await using dump = await openDump(file(postgres.slice(0, -60), 1000, true), { ciphers }, ctx)
  await dump.readThrough(ctx)
  await expect(readAll(dump.source.open('sql', ctx))).rejects.toMatchObject({ code: 'corrupt' })
})

it('a stream is let go of when its dump is', async () => {
  let returned = false
  const stream = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: Buffer.from(postgres.padEnd(100_000, ' ')) }),
      return: async () => {
        returned = true
        return { done: true as const, value: undefined }
      },
    }),
  }
  const dump = await openDump(dumpFromStream('-', stream), { ciphers }, ctx)
  expect(returned).toBe(false)
  await dump[Symbol.asyncDispose]()
  expect(returned).toBe(true)
  await expect(openDump(dumpFromStream('-', streamOf(Buffer.from('?'))), { ciphers }, ctx)).rejects.toThrow('no dump')
})
