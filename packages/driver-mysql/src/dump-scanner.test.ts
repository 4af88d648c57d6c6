import { streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanDump } from './dump-scanner.js'

async function piecesOf(text: string, size = text.length): Promise<string[]> {
  const bytes = Buffer.from(text)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const found: string[] = []
  let rows = ''
  for await (const pieces of scanDump(size > 0 ? chunks() : streamOf())) {
    for (const piece of pieces) {
      if (piece.kind === 'statement') found.push(piece.sql)
      if (piece.kind === 'delimiter') found.push(`DELIMITER ${piece.delimiter}`)
      if (piece.kind !== 'rows') continue
      rows += piece.bytes.toString()
      if (!piece.last) continue
      found.push(rows)
      rows = ''
    }
  }
  return found
}

const dump = String.raw`/*M!999999\- enable the sandbox mode */
-- Host: it's; here
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
CREATE TABLE ${'`a;\\`'} (i int); -- don't; stop
/* plain; comment */
INSERT INTO t VALUES (1,'a\';b'),
(2,'\\'),(3,'it''s; --'),(4,-5/2);
DELIMITER ;;
CREATE PROCEDURE p() begin select 1; /* it's; */ select "a\";"; # it's;;
 end ;;
DELIMITER ;
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
CREATE VIEW v AS select '\' as "\";
SET sql_mode = @old_sql_mode;
SELECT '\';';
-- Dump completed
`

const expected = [
  "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
  'CREATE TABLE `a;\\` (i int)',
  "INSERT INTO t VALUES (1,'a\\';b'),\n(2,'\\\\'),(3,'it''s; --'),(4,-5/2);",
  'DELIMITER ;;',
  'CREATE PROCEDURE p() begin select 1; /* it\'s; */ select "a\\";"; # it\'s;;\n end ',
  'DELIMITER ;',
  "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
  'CREATE VIEW v AS select \'\\\' as "\\"',
  'SET sql_mode = @old_sql_mode',
  "SELECT '\\';'",
]

describe('scanDump', () => {
  it.each([1, 2, 3, 7, 64, 10_000])('cuts a dump as the client does, in chunks of %i bytes', async (size) => {
    expect(await piecesOf(dump, size)).toEqual(expected)
  })

  it('finds the same pieces however values are written and cut', async () => {
    const value = fc.string({
      unit: fc.constantFrom("'", '\\', ';', '`', '"', '\n', '-', '#', '/', '*', 'x', '😀'),
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), async (values, size) => {
        const quoted = values.map((text) => `('${text.replace(/['\\]/g, '\\$&')}')`)
        const statements = quoted.flatMap((row) => [`INSERT INTO t VALUES ${row};`, `SET @x = ${row}`])
        const text = statements.map((sql) => (sql.endsWith(';') ? sql : `${sql};`)).join('\n')
        expect(await piecesOf(text, size)).toEqual(statements)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    '\\! ls',
    'SELECT 1 \\! ls;',
    '/*! \\! ls */;',
    'INSERT INTO t VALUES (1) \\g',
    "DELIMITER '\n",
    'delimiter x\n',
  ])('refuses %j', async (text) => {
    await expect(piecesOf(text)).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it.each([
    ['-- the end', []],
    ['# the end', []],
    ['--', []],
    ['SET @a = 1;\n/* never closed', ['SET @a = 1']],
    ['DELIMITER //', ['DELIMITER //']],
    ['SET @a /* in; between */ = 1;', ['SET @a /* in; between */ = 1']],
    ['SET @a = 1 # till the end;\n + 1;', ['SET @a = 1 # till the end;\n + 1']],
    ['SET @a = 3--2;', ['SET @a = 3--2']],
    ['REPLACE INTO t VALUES (1);', ['REPLACE INTO t VALUES (1);']],
  ])('reads the end of %j', async (text, pieces) => {
    for (const size of [1, 3, 100]) expect(await piecesOf(text, size)).toEqual(pieces)
  })

  it('tells a statement that is longer than any', async () => {
    const chunk = Buffer.alloc(8 * 1024 * 1024, 'x')
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('CREATE TABLE ')
      for (let count = 0; count < 1_000; count++) yield chunk
    }
    const reading = (async () => {
      for await (const _ of scanDump(endless()));
    })()
    await expect(reading).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it.each(['CREATE TABLE t (', "INSERT INTO t VALUES ('"])('tells a dump that ends within %j', async (text) => {
    await expect(piecesOf(text)).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('passes a row of any size on in the chunks that it comes in', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    async function* row(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("INSERT INTO t VALUES ('")
      for (let count = 0; count < 200; count++) yield chunk
      yield Buffer.from("');\n")
    }
    let bytes = 0
    let largest = 0
    for await (const pieces of scanDump(row())) {
      for (const piece of pieces) {
        if (piece.kind !== 'rows') continue
        bytes += piece.bytes.length
        largest = Math.max(largest, piece.bytes.length)
      }
    }
    expect(bytes).toBeGreaterThan(200 * chunk.length)
    expect(largest).toBeLessThan(2 * chunk.length)
  })
})
