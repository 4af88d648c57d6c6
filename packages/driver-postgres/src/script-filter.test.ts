import { type ByteStream, isBackupError, readAll, streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterScript } from './script-filter.js'
import { type ScriptRules, scriptFilter } from './script-rules.js'

const script = String.raw`--
-- PostgreSQL database dump
--

\restrict abc123

SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
/* a /* nested */ comment; with a semicolon */
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $fn$ select 'a;b' || E'\';' || $$ \! ; $$ -- ;
$fn$;
CREATE FUNCTION g(i integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN (i > 0) THEN 1; SELECT 2 END; END;
CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT ';');
ALTER TABLE "own;er to x" OWNER TO "a ""b""";
COPY public.t (a, "b;c") FROM stdin;
\restrict is a value here
\\! echo; SET transaction_timeout = 0;
\N	$$ ' " /*
\.

COPY public.empty FROM stdin;
\.


BEGIN;
SELECT pg_catalog.lo_open('1', 131072);
COMMIT;
GRANT SELECT ON TABLE t TO "x;y";
--
-- PostgreSQL database dump complete
--

\unrestrict abc123
`

const rules: ScriptRules = { noOwner: false, noPrivileges: false, inTransaction: false }

async function filtered(source: ByteStream, changes: Partial<ScriptRules> = {}): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of filterScript(source, scriptFilter({ ...rules, ...changes }))) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const without = (...lines: readonly string[]): string => lines.reduce((text, line) => text.replace(line, ''), script)
const restrictPair = ['\\restrict abc123\n', '\\unrestrict abc123\n']

/** The text in pieces that end anywhere. */
async function* cut(text: string, ends: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  let from = 0
  for (const end of [...ends].map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b)) {
    yield bytes.subarray(from, end)
    from = Math.max(from, end)
  }
  yield bytes.subarray(from)
}

describe('filterScript', () => {
  it('drops the pair that restricts psql, and nothing else', async () => {
    expect(await filtered(streamOf(Buffer.from(script)))).toBe(without(...restrictPair))
  })

  it('finds the same wherever the pieces end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), async (ends) => {
        expect(
          await filtered(cut(script, ends), { inTransaction: true, knownSettings: new Set(['statement_timeout']) }),
        ).toBe(without(...restrictPair, 'SET transaction_timeout = 0;', 'BEGIN;', 'COMMIT;'))
      }),
    )
  })

  it('finds the same byte by byte', async () => {
    const bytes = Array.from(Buffer.from(script), (byte) => Uint8Array.of(byte))
    expect(await filtered(streamOf(...bytes))).toBe(without(...restrictPair))
  })

  it('drops the versions of columns, which only the server that wrote them knows', async () => {
    const set = (options: string): string => `ALTER TABLE ONLY "a;b" ALTER COLUMN v SET (${options});`
    const text = `${set('pg_attver=27591224')}\n${set('n_distinct=5')}\n`
    expect(await filtered(streamOf(Buffer.from(text)))).toBe(`\n${set('n_distinct=5')}\n`)
  })

  it('finds the end of rows in a script with the line ends of Windows', async () => {
    const seen: string[] = []
    const rows = (bytes: Buffer): void => void seen.push(bytes.toString())
    const windows = script.replaceAll('\n', '\r\n')
    const byByte = Array.from(Buffer.from(windows), (byte) => Uint8Array.of(byte))
    for (const source of [streamOf(Buffer.from(windows)), streamOf(...byByte)]) {
      seen.length = 0
      const all = filterScript(source, { statement: () => true, command: () => true, rows })
      expect((await readAll(all)).toString()).toBe(windows)
      expect(seen.join('')).toMatch(/^\\restrict is a value here\r\n.*\/\*\r\n$/s)
    }
  })

  it.each(['', '|.\n', '\\.x\n', '.\\.\n'])(
    'refuses rows that end with %j: they would swallow the rest',
    async (end) => {
      const text = `COPY t (a) FROM stdin;\nrow\n${end}COPY u (a) FROM stdin;\n1\n${end}\n-- PostgreSQL database dump complete\n`
      const passAll = { statement: () => true, command: () => true }
      await expect(readAll(filterScript(streamOf(Buffer.from(text)), passAll))).rejects.toMatchObject({
        code: 'corrupt',
      })
    },
  )

  it('leaves out owners and grants', async () => {
    const text = await filtered(streamOf(Buffer.from(script)), { noOwner: true, noPrivileges: true })
    expect(text).toBe(
      without(...restrictPair, 'ALTER TABLE "own;er to x" OWNER TO "a ""b""";', 'GRANT SELECT ON TABLE t TO "x;y";'),
    )
  })

  it('leaves out settings that the target does not know', async () => {
    const sets = `SET a = 1;\nset "B" to 2;\nSET LOCAL c = 3;\nSET ROLE x;\nSET SESSION AUTHORIZATION y;\nSET d.e = 1;\n`
    const text = await filtered(streamOf(Buffer.from(sets)), { knownSettings: new Set(['b']) })
    expect(text.trim().split(/\n+/)).toEqual([
      'set "B" to 2;',
      'SET ROLE x;',
      'SET SESSION AUTHORIZATION y;',
      'SET d.e = 1;',
    ])
  })

  it.each([
    '\\! touch /tmp/owned\n',
    'SELECT 1 \\! touch /tmp/owned\n;',
    "\\copy t from program 'id'\n",
    '\\i /etc/passwd\n',
    '\\connect other\n',
    'SELECT 1; \\g |id\n',
    "SELECT E'\\'' \\! id\n;",
    'SELECT "a" \\gexec\n',
    '/* x */ \\o |id\n',
    '-- comment\n\\setenv X y\n',
    'COPY t FROM stdin;\n\\.\n\\! id\n',
    'SELECT $a$ $b$ $a$ \\! id\n',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; \\! id\n',
    "SELECT 'a\\' \\! id\n",
    '\\restrict abc; \\! id\n',
    '\\restrict\n',
    'COPY t FROM stdin \\! id\n;',
    '\\! id',
  ])('refuses %j', async (text) => {
    for (const stream of [streamOf(Buffer.from(text)), cut(text, [0.3, 0.5, 0.7])]) {
      await expect(filtered(stream)).rejects.toSatisfy((error) => isBackupError(error, 'restore-refused'))
    }
  })

  it.each([
    "SELECT 'it''s \\! fine';",
    "SELECT E'\\\\', '\\';",
    'SELECT $$ \\! $$;',
    'SELECT $a$ $$ \\! $b$ $a$;',
    'SELECT "\\!";',
    '-- \\! in a comment\n',
    '/* \\! */ SELECT 1;',
    'SELECT a$b, 1 AS x$$; SELECT 2',
    'SELECT 1 - -1, 4 / 2;',
    'COPY t FROM stdin;\n\\\\!\n\\.\n',
  ])('passes %j', async (text) => {
    expect(await filtered(streamOf(Buffer.from(text)))).toBe(text)
    expect(await filtered(cut(text, [0.2, 0.4, 0.6, 0.8]))).toBe(text)
  })
})

describe('within the transaction of a restore', () => {
  const filtered = async (script: string): Promise<string> => {
    const filter = scriptFilter({ noOwner: false, noPrivileges: false, inTransaction: true })
    const chunks: Uint8Array[] = []
    for await (const chunk of filterScript(streamOf(Buffer.from(script)), filter)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  it('the pairs that pg_dump writes are left out', async () => {
    expect(await filtered('BEGIN;\nSELECT 1;\nCOMMIT;\n')).toBe('\nSELECT 1;\n\n')
  })

  it.each([
    'COMMIT WORK;',
    'END;',
    'commit and chain;',
    'COMMIT/**/;',
    'ROLLBACK;',
    'abort;',
    "PREPARE TRANSACTION 'x';",
    'START TRANSACTION;',
    `COMMIT${' '.repeat(5_000)}WORK;`,
  ])('%.20s is refused', async (statement) => {
    await expect(filtered(`SELECT 1;\n${statement}\nSELECT 2;\n`)).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it('the end of a function body passes', async () => {
    const script = 'CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n'
    expect(await filtered(script)).toBe(script)
  })
})
