import { describe, expect, it } from 'vitest'
import { followRows } from './plain-rows.js'

const isPlain = (sql: string, size = 1_000, backslash: 'escape' | 'plain' = 'escape'): boolean => {
  const rows = followRows({ backslashIn: () => backslash })
  const bytes = Buffer.from(sql)
  for (let at = 0; at < bytes.length; at += size) {
    if (!rows.push(bytes.subarray(at, at + size), at === 0, at + size >= bytes.length)) return false
  }
  return true
}

describe('rows of a dump program', () => {
  it.each([
    "INSERT INTO `t` VALUES (1,-2.5e-10,NULL,'a(b)',0x00FF,_binary 'x\\'(',\"q\"),\n(2,0,1,'','','','');",
    'INSERT  IGNORE INTO t (`a``(`, b) VALUES (1,2);',
    'REPLACE INTO "t" ("a") VALUES (\'-- /* f() */\');;',
    "INSERT INTO `a values (` VALUES ('it''s',b'1',x'ff');",
  ])('pass in whatever pieces they come: %s', (sql) => {
    for (const size of [1, 3, 1_000]) expect(isPlain(sql, size)).toBe(true)
  })

  it('end their texts as the mode says', () => {
    expect(isPlain("INSERT INTO t VALUES ('\\',f());", 1, 'plain')).toBe(false)
    expect(isPlain("INSERT INTO t VALUES ('\\',f());')", 1)).toBe(true)
  })

  it.each([
    'INSERT INTO t SELECT 1;',
    'INSERT INTO t SET a = 1;',
    'INSERT INTO t (SELECT 1);',
    'INSERT INTO t (a) SELECT (1);',
    'INSERT INTO t VALUES (f());',
    'INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1;',
    'INSERT INTO t VALUES (1/* */);',
    'INSERT INTO t VALUES (1-- \n);',
  ])('are not: %.80s', (sql) => {
    for (const size of [7, 100_000]) expect(isPlain(sql, size)).toBe(false)
  })

  it('have no head without an end', () => {
    expect(isPlain(`INSERT INTO t (${'a, '.repeat(400_000)}a) VALUES (1);`, 65_536)).toBe(false)
  })
})
