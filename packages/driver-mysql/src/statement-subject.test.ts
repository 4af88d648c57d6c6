import { describe, expect, it } from 'vitest'
import { firstWord, subjectOf } from './statement-subject.js'

describe('subjectOf', () => {
  it.each([
    ['CREATE TABLE `a``b` (', { verb: 'create', kind: 'table', name: 'a`b' }],
    ['DROP TABLE IF EXISTS `t`', { verb: 'drop', kind: 'table', name: 't' }],
    ['INSERT  IGNORE INTO `t` (`a`) VALUES (1)', { verb: 'insert', kind: 'table', name: 't' }],
    ['/*!40000 ALTER TABLE `t` DISABLE KEYS */', { verb: 'alter', kind: 'table', name: 't' }],
    ['LOCK TABLES `t` WRITE', { verb: 'lock', kind: 'table', name: 't' }],
    ['CREATE SEQUENCE `s` start with 1', { verb: 'create', kind: 'sequence', name: 's' }],
    ['DO SETVAL(`s`, 5, 0)', { verb: 'setval', kind: 'sequence', name: 's' }],
    [
      '/*!50003 CREATE*/ /*!50017 DEFINER=`a b`@`%`*/ /*!50003 trigger tr before insert on `t x` for each row set @x = 1 */',
      { verb: 'create', kind: 'trigger', name: 'tr', table: 't x' },
    ],
    ['CREATE DEFINER="a"@"%" PROCEDURE "odd;p"()', { verb: 'create', kind: 'procedure', name: 'odd;p' }],
    [
      '/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`h`*/ /*!50106 EVENT `e` ON',
      { verb: 'create', kind: 'event', name: 'e' },
    ],
    [
      '/*!50001 CREATE VIEW `v` AS SELECT\n 1 AS `a` */',
      { verb: 'create', kind: 'view', name: 'v', placeholder: true },
    ],
    [
      '/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`h` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */',
      { verb: 'create', kind: 'view', name: 'v', placeholder: false },
    ],
    ['DROP TABLE `mysql`.`user`', { verb: 'drop', kind: 'table', name: 'mysql', qualified: true }],
  ])('reads %s', (sql, subject) => {
    expect(subjectOf(sql)).toMatchObject(subject)
  })

  it.each(['SET NAMES utf8mb4', 'UNLOCK TABLES', 'GRANT ALL ON *.* TO x'])('knows none of %s', (sql) => {
    expect(subjectOf(sql)).toBeUndefined()
  })

  it('sees the first word through version comments', () => {
    expect([firstWord('/*!50003 /*M!100000 drop x */'), firstWord('set x')]).toEqual(['DROP', 'SET'])
  })
})
