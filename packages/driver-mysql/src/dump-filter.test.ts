import { streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { type FilterRules, filterDump } from './dump-filter.js'
import { trackProgress } from './progress.js'

interface Filtered {
  readonly text: string
  readonly adopted: readonly string[]
  readonly kept: readonly string[]
  readonly events: readonly string[]
}

async function filtered(dump: string, rules: Partial<FilterRules> = {}): Promise<Filtered> {
  const adopted: string[] = []
  const kept: string[] = []
  const events: string[] = []
  let text = ''
  const stream = filterDump(streamOf(Buffer.from(dump)), {
    from: 'shop',
    into: 'shop',
    schema: true,
    rows: true,
    definerIsInvoker: false,
    progress: trackProgress(),
    onEnabledEvent: (name) => events.push(name),
    onDefinition: ({ kind, name }, isAdopted) => (isAdopted ? adopted : kept).push(`${kind} ${name}`),
    ...rules,
  })
  for await (const chunk of stream) text += Buffer.from(chunk).toString()
  // Each run says it in words of its own.
  return { text: text.replace(/'holdfast [0-9a-f]{16} (\d+)'/g, "'said $1'"), adopted, kept, events }
}

const dump = `/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS \`t\`;
CREATE TABLE \`t\` (i int DEFAULT nextval(\`shop\`.\`s\`));
LOCK TABLES \`t\` WRITE;
/*!40000 ALTER TABLE \`t\` DISABLE KEYS */;
INSERT INTO \`t\` VALUES (1),(2);
/*!40000 ALTER TABLE \`t\` ENABLE KEYS */;
UNLOCK TABLES;
CREATE TABLE u (i int);
INSERT INTO u VALUES (3);
CREATE SEQUENCE \`s\` start with 1;
DO SETVAL(\`s\`, 5, 0);
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`me\`@\`%\`*/ /*!50003 TRIGGER \`shop\`.\`tr\` BEFORE INSERT ON \`t\` FOR EACH ROW SET new.i = 1 */;;
CREATE TRIGGER bare AFTER INSERT ON u FOR EACH ROW SET @a = 'DEFINER=x@y';;
DELIMITER ;
`

describe('what is left of a dump', () => {
  it('is all of it', async () => {
    const { text } = await filtered(dump)
    for (const part of ['INSERT INTO `t`', 'INSERT INTO u', 'SETVAL', 'TRIGGER', 'ENABLE KEYS']) {
      expect(text).toContain(part)
    }
  })

  it('is the schema alone, or the rows alone', async () => {
    const schema = await filtered(dump, { rows: false })
    expect(schema.text).toContain('CREATE TABLE `t`')
    expect(schema.text).not.toMatch(/INSERT INTO|LOCK TABLES `t`|KEYS/)
    const rows = await filtered(dump, { schema: false })
    expect(rows.text).toContain('INSERT INTO `t`')
    expect(rows.text).not.toMatch(/CREATE|DROP/)
  })

  it('is what belongs to the chosen tables', async () => {
    const { text } = await filtered(dump, { tables: new Set(['u']) })
    expect(text).toContain('INSERT INTO u VALUES (3)')
    expect(text).toContain('TRIGGER bare')
    expect(text).not.toMatch(/`t`|SETVAL|`tr`/)
    expect((await filtered(dump, { tables: new Set(['t']) })).text).toContain('TRIGGER `tr` BEFORE')
  })

  it('means the database that is filled', async () => {
    const { text } = await filtered(dump, { into: 'copy' })
    expect(text).toContain('nextval(`copy`.`s`)')
    expect(text).toContain('TRIGGER `tr` BEFORE')
  })
})

describe('what is of others', () => {
  it('is not dropped: only what the dump has made itself, as it does with place-holders', async () => {
    const view =
      'DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT 1;\n/*!50001 DROP VIEW IF EXISTS v*/;\nCREATE VIEW v AS SELECT 2;\n'
    const { text } = await filtered(
      `DROP TABLE IF EXISTS t;\nCREATE TABLE t (i int);\n${view}DROP TABLE IF EXISTS v;\n`,
    )
    expect(text.split('\n')).toEqual([
      ...['CREATE TABLE t (i int);', "SELECT 'said 1' LIMIT 1;"],
      ...['CREATE VIEW v AS SELECT 1;', "SELECT 'said 2' LIMIT 1;"],
      ...['DROP VIEW IF EXISTS `v`;', "SELECT 'said 3' LIMIT 1;"],
      ...['CREATE VIEW v AS SELECT 2;', "SELECT 'said 4' LIMIT 1;", ''],
    ])
  })

  it.each([
    ['CREATE OR REPLACE TABLE t (i int)', 'CREATE TABLE t (i int)'],
    ['/*!50001 CREATE OR REPLACE VIEW t AS SELECT 1 */', '/*!50001 CREATE VIEW t AS SELECT 1 */'],
    ['CREATE TABLE IF NOT EXISTS `t` (i int)', 'CREATE TABLE `t` (i int)'],
    [
      'CREATE OR REPLACE DEFINER=`a`@`b` PROCEDURE IF NOT EXISTS t() BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS x (i int)',
      'CREATE DEFINER=`a`@`b` PROCEDURE t() BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS x (i int)',
    ],
  ])('is neither replaced nor taken for that of the dump: %s', async (given, expected) => {
    const { text } = await filtered(`DELIMITER ;;\n${given};;\n`)
    expect(text).toBe(`DELIMITER ;;\n${expected};;\nSELECT 'said 1' LIMIT 1;;\n`)
  })
})

describe('definers', () => {
  it('are kept, and those who are missing are told of', async () => {
    const { text, adopted, kept } = await filtered(dump)
    expect(adopted).toEqual(['trigger bare'])
    expect(kept).toEqual(['trigger tr'])
    expect(text).toContain('DEFINER=`me`@`%`')
  })

  it('become the restoring user where it is wanted, and bodies stay as they are', async () => {
    const { text, adopted } = await filtered(dump, { definerIsInvoker: true })
    expect(adopted).toEqual(['trigger tr', 'trigger bare'])
    expect(text).toContain('/*!50017 DEFINER=CURRENT_USER*/')
    expect(text).toContain("SET @a = 'DEFINER=x@y'")
  })

  it.each([
    'CREATE PROCEDURE p() SELECT 1;',
    'CREATE DEFINER=CURRENT_USER PROCEDURE p() SELECT 1;',
    'CREATE DEFINER = current_user() FUNCTION p() RETURNS int RETURN 1;',
    'CREATE OR REPLACE SQL SECURITY DEFINER VIEW p AS SELECT 1;',
    'CREATE VIEW p AS SELECT 1 /* DEFINER=`a`@`b` */;',
    'CREATE EVENT p ON SCHEDULE EVERY 1 DAY DO SELECT 1;',
  ])('are missing in %s', async (sql) => {
    expect((await filtered(sql)).adopted).toHaveLength(1)
  })

  it.each([
    "CREATE DEFINER='a'@'b' PROCEDURE p() SELECT 1;",
    'CREATE OR REPLACE ALGORITHM=MERGE DEFINER=a@b SQL SECURITY DEFINER VIEW p AS SELECT 1;',
    '/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT p ON SCHEDULE EVERY 1 DAY DO SELECT 1 */;',
  ])('stand in %s', async (sql) => {
    expect(await filtered(sql)).toMatchObject({ adopted: [], kept: [expect.stringContaining(' p')] })
  })
})

describe('events', () => {
  const event = 'CREATE EVENT e ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE COMMENT "ENABLE" DO SELECT 1'

  it('stand still until the restore is whole', async () => {
    const { text, events } = await filtered(`${event};`)
    expect(text).toContain('PRESERVE DISABLE COMMENT "ENABLE"')
    expect(events).toEqual(['e'])
    expect((await filtered(`${event.replace('ENABLE COMMENT', 'DISABLE COMMENT')};`)).events).toEqual([])
  })
})

it.each([
  'CREATE DATABASE x;',
  'ALTER DATABASE x READ ONLY = 1;',
  'INSERT INTO mysql.user VALUES (1);',
  'SELECT 1;',
  'DROP VIEW a, b;',
  'CREATE FUNCTION f RETURNS int SONAME "x";',
])('what no dump program writes is refused: %s', async (sql) => {
  await expect(filtered(sql)).rejects.toMatchObject({ code: 'restore-refused' })
})

it('a dump gives its character set back to the database that is filled', async () => {
  const { text } = await filtered('ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_bin ;')
  expect(text).toBe('ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin;\n')
})

/** A statement within what is one text where a backslash escapes. */
function hidden(set: string): string {
  return `${set};\nINSERT INTO t VALUES ('\\'); GRANT ALL ON *.* TO evil; -- ');`
}

describe('what a server could read otherwise than the filter', () => {
  it.each([
    '/*!99999 SET @a = 1, @b = */ GRANT ALL ON *.* TO evil;',
    '/*!99999 SET @a = 1, @b = */ /*!60000 GRANT ALL ON *.* TO evil */;',
    '/*M!100000 SET @a = 1, @b = */ GRANT ALL ON *.* TO evil;',
    '/*!80000 SET @a = 1 /* */, @b = */ GRANT ALL ON *.* TO evil;',
    'ALTER TABLE /*!99999 t */ other.t ADD COLUMN i int;',
    'ALTER TABLE other/*!99999 x */.t ADD COLUMN i int;',
    'ALTER TABLE other/**/.t ADD COLUMN i int;',
    'ALTER TABLE other -- x\n.t ADD COLUMN i int;',
    'ALTER TABLE IF EXISTS other.t DROP COLUMN i;',
    'CREATE VIEW IF NOT EXISTS other.v AS SELECT 1;',
    'CREATE /*!99999 TABLE t (i int) */ VIEW other.v AS SELECT 1;',
    'INSERT /*!99999 INTO t VALUES (1), */ INTO other.t VALUES (1);',
    'INSERT INTO other/**/.t VALUES (1);',
    ...['SET sql_mode = "NO_BACKSLASH_ESCAPES"', "SET @@sql_mode = 'NO_BACKSLASH_ESCAPES'"].map(hidden),
    ...[
      "SET sql_mode = '', sql_mode = 'NO_BACKSLASH_ESCAPES'",
      "SET sql_mode = concat('NO_BACKSLASH', '_ESCAPES')",
    ].map(hidden),
    hidden("SET @a_sql_mode = 'NO_BACKSLASH_ESCAPES';\nSET sql_mode = @a_sql_mode"),
    hidden("SET @a = 'NO_BACKSLASH_ESCAPES';\nSET sql_mode = @a"),
    hidden("SET sql_mode = 'NO_BACKSLASH_ESCAPES';\n/*!99999 SET sql_mode = '' */"),
    'SET sql_mode = \'ORACLE\';\nCREATE TABLE u ("a\\" int); DROP DATABASE other; -- " int);',
    'SET sql_mode = \'ANSI_QUOTES\';\nCREATE TABLE "u" ("a\\" int) -- "; DROP DATABASE other; --\n;',
    'SET sql_mode = \'MSSQL\';\nINSERT INTO t ("a\\") VALUES (1); DROP DATABASE other; -- ");',
    "ALTER TABLE t COMMENT /* ' */ 'x', RENAME TO other.t, COMMENT /* ' */ '';",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nALTER TABLE t COMMENT '\\', RENAME TO other.t, COMMENT '';",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nSET @a = '\\', GLOBAL max_connections = 7, @b = '';",
  ])('is refused: %s', async (sql) => {
    await expect(filtered(`CREATE TABLE t (i int);\n${sql}\n`)).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it('is not the mode that the dump began with, whatever a row assigns to where that was kept', async () => {
    const kept = "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='';\nCREATE TABLE t (a text);\n"
    const row = "INSERT INTO t VALUES (@OLD_SQL_MODE := 'NO_BACKSLASH_ESCAPES');\n"
    const { text } = await filtered(`${kept}${row}/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n`)
    expect(text).toMatch(/SET sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';\n$/)
  })

  it('is dropped by its name alone', async () => {
    const { text } = await filtered("CREATE TABLE t (i int);\nDROP TABLE t /* ' */ RESTRICT /* ' */;\n")
    expect(text).toContain('DROP TABLE IF EXISTS `t`;\n')
    const both = "CREATE TABLE t (i int);\nDROP TABLE t /* ' */ , other.t /* ' */;\n"
    await expect(filtered(both)).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it.each([
    '/*!80000 SET SESSION information_schema_stats_expiry=0 */;',
    '/*M!100616 SET NOTE_VERBOSITY=0 */;',
    "CREATE TABLE t (i int /*!80023 INVISIBLE */, c varchar(9) COMMENT 'it''s a rename') /*!80016 DEFAULT ENCRYPTION='N' */;",
    '/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER tr /* why */ BEFORE INSERT ON t FOR EACH ROW SET NEW.i = 1 */;',
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ERROR_FOR_DIVISION_BY_ZERO' */;",
    '/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;',
    "/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ANSI' */ ;",
    'SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";',
    'CREATE VIEW IF NOT EXISTS v AS SELECT 1;',
    'ALTER TABLE t ADD KEY `exchange` (`rename`);',
  ])('is not what a dump program writes: %s', async (sql) => {
    await expect(filtered(sql)).resolves.toMatchObject({
      text: expect.stringContaining(sql.slice(-9).trimStart().replace(/ ;$/, '')),
    })
  })
})
