import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, isBackupError } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, dropDatabases } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const directory = mkdtempSync(join(tmpdir(), 'holdfast-hostile-'))
const mark = join(directory, 'executed')
const script = join(directory, 'script.sql')
const touch = `touch ${mark}`
let server: MysqlServer
let harmless: MemoryBackup

beforeAll(async () => {
  server = await startMariadb()
  writeFileSync(script, `create database executed_${own};\n`)
  await server.createDatabase(`hostile_${own}`)
  await server.sql(`hostile_${own}`, 'create table t (a int, b text)', `insert into t values (1, 'x')`)
  harmless = await memoryBackup(driverOf(`hostile_${own}`), {}, ctx)
})
afterAll(async () => {
  await dropDatabases(server, own)
  rmSync(directory, { recursive: true, force: true })
  await server.stop()
})

const driverOf = (database: string) =>
  mysql({ url: server.url(database), ...(server.binDir ? { binDir: server.binDir } : {}) })

/** A row, or a statement behind it where a backslash is no escape. */
const hiding = `INSERT INTO o VALUES ('\\'); CREATE DATABASE executed_${own}; -- ');`

/** Commands for the client in every spelling, and what would hide them from a filter that is easily fooled. */
const commands: readonly string[] = [
  `\\! ${touch}`,
  `system ${touch}`,
  `SYSTEM ${touch};`,
  `  system ${touch}`,
  `\\. ${script}`,
  `source ${script}`,
  `SoUrCe ${script};`,
  `tee ${mark}`,
  `\\T ${mark}`,
  `pager ${touch}`,
  `\\P ${touch}\nselect 1;`,
  `nopager\n\\! ${touch}`,
  `edit`,
  `connect mysql`,
  `use mysql`,
  `\\u mysql`,
  `sandbox\nsystem ${touch}`,
  `SELECT 1\\! ${touch}`,
  `SELECT 1; \\! ${touch}`,
  `INSERT INTO \`t\` VALUES (1,'a') \\! ${touch}`,
  `INSERT INTO \`t\` VALUES (1,'a\\\\')\\! ${touch}`,
  `INSERT INTO \`t\` VALUES (1,'a''')\\! ${touch}`,
  `INSERT INTO \`t\` VALUES (1,'a');\\! ${touch}`,
  `INSERT INTO \`t\` VALUES (1,'a');\nsystem ${touch}`,
  `CREATE TABLE \`a\\\` (i int); \\! ${touch}`,
  `CREATE TABLE "a\\" (i int)\\! ${touch}`,
  `/*! \\! ${touch} */;`,
  `/*!99999 \\! ${touch} */;`,
  `/*M! \\! ${touch} */;`,
  `/*M!999999\\! ${touch} */;`,
  `/*+ \\! ${touch} */;`,
  `/* \n*/\\! ${touch}`,
  `/* /* */ \\! ${touch}\n*/`,
  `/*/ \\! ${touch} */\n\\! ${touch}`,
  `--\\! ${touch}`,
  `-- comment\n\\! ${touch}`,
  `# comment\n\\! ${touch}`,
  `--\t'\n\\! ${touch}\n--\t'`,
  `SELECT 1 -- '\n; \\! ${touch} -- '`,
  `DELIMITER '\n\\! ${touch}\n'`,
  `DELIMITER \\\n\\! ${touch}`,
  `DELIMITER ;;\nSELECT 1;;\nsystem ${touch}\n;;\nDELIMITER ;`,
  `DELIMITER //\nSELECT 1; \\! ${touch}\n//`,
  `DELIMITER x\nsystem ${touch} x`,
  `delimiter\n\\! ${touch}`,
  `SET sql_mode='NO_BACKSLASH_ESCAPES';\nSET @a='\\';\\! ${touch}\n-- ';`,
  `SET sql_mode='ANSI_QUOTES';\nSET @a="\\";\\! ${touch}\n-- ";`,
  `SET @x='sql_mode=NO_BACKSLASH_ESCAPES';\nSET @a='\\'; \\! ${touch}';\nsystem ${touch}`,
  `\r\nsystem ${touch}\r\n`,
  `\0\\! ${touch}`,
  `SET @a = 1 \0 \\! ${touch};`,
  `help\nsystem ${touch}`,
  `?\n\\! ${touch}`,
  `\\d ;;\nsystem ${touch}`,
  `charset utf8\nsystem ${touch}`,
  `\\C gbk\nsystem ${touch}`,
  // Where double quotes are for names, a backslash in them is no escape.
  ...['ORACLE', 'MSSQL', 'ANSI'].map(
    (mode) => `SET sql_mode='${mode}';\nCREATE TABLE o ("a\\" int); CREATE DATABASE executed_${own}; -- " int);`,
  ),
  `SET sql_mode='ANSI_QUOTES';\nCREATE TABLE "o" ("a\\" int) -- "; CREATE DATABASE executed_${own}; --\n;`,
  `CREATE TABLE o (a text);\nSET @a_sql_mode=@@sql_mode;\nINSERT INTO o VALUES (@a_sql_mode := 'NO_BACKSLASH_ESCAPES');\nSET sql_mode=@a_sql_mode;\n${hiding}`,
]

/** Statements that no dump program writes, and that reach out of the database. */
const statements: readonly string[] = [
  `CREATE DATABASE executed_${own};`,
  `/*!50000 CREATE DATABASE executed_${own} */;`,
  `DROP DATABASE mysql;`,
  `DROP TABLE mysql.user;`,
  'DROP TABLE `mysql`.`user`;',
  `INSERT INTO mysql.user VALUES (1);`,
  `CREATE USER executed;`,
  `GRANT ALL ON *.* TO executed;`,
  `SET GLOBAL general_log_file = '${mark}';`,
  `SET @@global.general_log = 1;`,
  `SET PASSWORD = '';`,
  `LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t;`,
  `CREATE FUNCTION sys_exec RETURNS INT SONAME 'executed.so';`,
  `INSTALL PLUGIN x SONAME 'executed.so';`,
  `SELECT 1 INTO OUTFILE '${mark}';`,
  `START SLAVE;`,
  `ALTER DATABASE mysql CHARACTER SET latin1;`,
  `CALL x();`,
  `SHUTDOWN;`,
  `KILL 1;`,
  'SET STATEMENT max_statement_time=1 FOR DROP DATABASE mysql;',
  `SET /* x */ /*!50000 STATEMENT */ max_statement_time=1 FOR CREATE DATABASE executed_${own};`,
  `DROP TABLE IF EXISTS x, hostile_${own}.t;`,
  `DROP TRIGGER mysql.x;`,
  `CREATE TRIGGER mysql.x BEFORE INSERT ON mysql.user FOR EACH ROW SET @a = 1;`,
  `ALTER TABLE t RENAME TO mysql.executed;`,
  `ALTER TABLE t EXCHANGE PARTITION p WITH TABLE mysql.user;`,
  `CREATE TABLE x AS SELECT * FROM mysql.user;`,
  `CREATE TABLE x (i int) SELECT * FROM mysql.user;`,
  'CREATE TABLE x (i int) ENGINE=MRG_MyISAM UNION=(`mysql`.`general_log`);',
  'ALTER TABLE t ENGINE=MRG_MyISAM UNION=(a, mysql.general_log);',
  `SELECT SETVAL(s, 1, 0), 'executed' INTO OUTFILE '${mark}';`,
  'DO SETVAL(`s`, (SELECT count(*) FROM mysql.user), 0);',
  '/*!50000 INSERT INTO t SELECT authentication_string FROM mysql.user */;',
  // For the server the backslash is the second half of a character, and the text ends before the next statement.
  `SET NAMES gbk;\nSET @a = '\u00bf\\'; CREATE DATABASE executed_${own}; -- ';`,
  `SET CHARACTER/**/SET gbk;\nSET @a = '\u00bf\\'; CREATE DATABASE executed_${own}; -- ';`,
  `SET CHAR SET gbk;\nSET @a = '\u00bf\\'; CREATE DATABASE executed_${own}; -- ';`,
  `SET NAMES gbk;\nINSERT INTO \`t\` VALUES (1,'\u00bf\\'); CREATE DATABASE executed_${own}; -- ');`,
]

const trigger = (body: string): string =>
  `DELIMITER ;;\nCREATE TRIGGER hx BEFORE INSERT ON h FOR EACH ROW ${body} ;;\nDELIMITER ;`
const routine = `DELIMITER ;;\nCREATE FUNCTION f() RETURNS int DETERMINISTIC BEGIN DELETE FROM victim_${own}.t; RETURN 1; END ;;\nDELIMITER ;`
const secret = `SELECT i FROM victim_${own}.t LIMIT 1`
const table = 'CREATE TABLE h (a int);'

/** What would change or read another database while the dump is restored, with the rights of who restores it. */
const reaching: readonly string[] = [
  `${table}\n${trigger(`DELETE FROM victim_${own}.t`)}\nINSERT INTO h VALUES (1);`,
  `${table}\n${trigger(`DELETE FROM victim_${own}.t`)}\nREPLACE INTO \`H\` VALUES (1);`,
  `${table}\n${trigger(`DELETE FROM victim_${own}.t`)}\nCREATE ALGORITHM=UNDEFINED VIEW w AS SELECT a FROM h;\nINSERT INTO w VALUES (1);`,
  `${table}\n${trigger(`DELETE FROM victim_${own}.t`)}\n/*!50001 CREATE VIEW w AS SELECT a FROM h */;\nINSERT INTO w VALUES (1);`,
  `${routine}\nSET @x = f();`,
  `${routine}\nSET @x = 1, @y = (SELECT f());`,
  `${routine}\nSET sql_mode = f();`,
  `${routine}\n/*!50003 SET @x = f() */;`,
  `${routine}\n${table}\nINSERT INTO h VALUES (f());`,
  `${routine}\n${table}\nINSERT INTO h VALUES (1),(1 + f ());`,
  `${routine}\n${table}\nINSERT INTO h VALUES (1) ON DUPLICATE KEY UPDATE a = f();`,
  `${routine}\n${table}\nINSERT INTO h SET a = f();`,
  `${routine}\n${table}\nINSERT INTO h (a) VALUES ('\\'',f());`.replace('(a)', '(`a`)'),
  `${table}\nINSERT INTO h ${secret};`,
  `${table}\nINSERT INTO h (a) ${secret};`,
  `${table}\nINSERT INTO h (${secret});`,
  `${table}\nREPLACE INTO h ${secret};`,
  `${table}\nINSERT IGNORE INTO h VALUES ((${secret}));`,
  `${table}\nINSERT INTO h VALUES (1) RETURNING (${secret});`,
  `${table}\nINSERT INTO h TABLE victim_${own}.t;`,
  `SET @x = (${secret});`,
]

function infected(payload: string, where: 'begin' | 'end'): MemoryBackup {
  const text = harmless.bytes.get('sql')?.toString('latin1') ?? ''
  const at = where === 'begin' ? 0 : text.lastIndexOf('-- Dump completed')
  const bytes = Buffer.from(`${text.slice(0, at)}${payload}\n${text.slice(at)}`, 'latin1')
  return {
    ...harmless,
    async *open() {
      // In small pieces: what is cut in two must not be missed.
      for (let from = 0; from < bytes.length; from += 7) yield bytes.subarray(from, from + 7)
    },
  }
}

describe('a hostile dump', () => {
  it('is harmless without its payload', async () => {
    await expect(driverOf(`fine_${own}`).restore(infected('', 'end'), { mode: 'create' }, ctx)).resolves.toBeDefined()
  })

  it.each(commands.map((payload) => [payload.replaceAll(directory, '…'), payload] as const))(
    'executes nothing: %j',
    async (_, payload) => {
      for (const where of ['begin', 'end'] as const) {
        const target = driverOf(`target_${own}`)
        const error = await target.restore(infected(payload, where), { mode: 'create' }, ctx).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        expect(existsSync(mark)).toBe(false)
        expect(readdirSync(directory)).toEqual(['script.sql'])
        // One that proves to be nothing but a comment restores; every other is refused, and leaves nothing.
        if (error !== undefined) {
          expect(isBackupError(error)).toBe(true)
          expect(await databasesOf(server)).not.toContain(`target_${own}`)
        } else await server.sql(undefined, `drop database target_${own}`)
        expect(await databasesOf(server)).not.toContain(`executed_${own}`)
      }
    },
  )

  it('executes nothing on a server whose mode makes something else of quotes', async () => {
    const [before] = await server.sql<{ mode: string }>(undefined, 'select @@global.sql_mode as mode')
    await server.sql(undefined, `set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`)
    try {
      const payload = `CREATE TABLE o (a text);\n${hiding}`
      await driverOf(`target_${own}`).restore(infected(payload, 'begin'), { mode: 'create' }, ctx)
      expect(await databasesOf(server)).not.toContain(`executed_${own}`)
      expect(await server.sql(`target_${own}`, 'select a from o')).toEqual([{ a: expect.stringContaining('CREATE') }])
    } finally {
      await server.sql(undefined, `set global sql_mode = '${before?.mode}'`, `drop database target_${own}`)
    }
  })

  afterEach(() => dropDatabases(server, `target_${own}`))
  afterEach(() => dropDatabases(server, `victim_${own}`))

  it.each(reaching)('reaches no other database: %s', async (payload) => {
    const victim = `victim_${own}`
    await server.createDatabase(victim)
    await server.sql(victim, 'create table t (i int)', 'insert into t values (1)')
    const restoring = driverOf(`target_${own}`).restore(infected(payload, 'end'), { mode: 'create' }, ctx)
    await expect(restoring).rejects.toMatchObject({ code: 'restore-refused' })
    expect(await server.sql(victim, 'select i from t')).toEqual([{ i: 1 }])
    expect(await databasesOf(server)).not.toContain(`target_${own}`)
  })

  it.each(statements)('is refused: %s', async (payload) => {
    const restoring = driverOf(`target_${own}`).restore(infected(payload, 'end'), { mode: 'create' }, ctx)
    await expect(restoring).rejects.toMatchObject({ code: 'restore-refused' })
    expect(await databasesOf(server)).not.toContain(`target_${own}`)
    expect(await databasesOf(server)).not.toContain(`executed_${own}`)
  })
})
