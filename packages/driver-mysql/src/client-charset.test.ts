import { describe, expect, it } from 'vitest'
import { followCharset } from './client-charset.js'

const hidden = Buffer.from("'\u00bf\\'; GRANT", 'latin1')
const inTwo = [Buffer.from([0x27, 0xbf]), Buffer.from([0x5c, 0x27])]
const refused = expect.objectContaining({ code: 'restore-refused' })

describe('the character set that the server reads', () => {
  it.each([
    'SET NAMES gbk',
    "SET NAMES 'GBK' COLLATE 'gbk_bin'",
    '/*!40101 SET NAMES sjis */',
    '/*!40101 SET character_set_client = big5 */',
    'SET @@session.character_set_client=cp932',
    'SET CHARACTER SET gb18030',
    'SET NAMES default',
    'SET NAMES filename',
  ])('makes text unclear after %s', (sql) => {
    const charset = followCharset()
    expect(charset.follow(sql)).toBe(sql)
    charset.requireClear(Buffer.from("'\u00bf\u00df'", 'latin1'))
    expect(() => charset.requireClear(hidden)).toThrow(refused)
  })

  it('makes text unclear that is cut between two chunks', () => {
    const charset = followCharset()
    charset.follow('SET NAMES gbk')
    const [one, other] = inTwo as [Buffer, Buffer]
    charset.requireClear(one)
    expect(() => charset.requireClear(other)).toThrow(refused)
  })

  it.each([
    '',
    'SET NAMES utf8mb4',
    '/*!50503 SET character_set_client = utf8mb4 */',
    'SET NAMES latin1',
    'SET NAMES binary',
  ])('is clear after %j', (sql) => {
    const charset = followCharset()
    charset.follow(sql)
    charset.requireClear(hidden)
  })

  it('is kept and given back by value, whatever its variable holds by then', () => {
    const charset = followCharset()
    const save = '/*!40101 SET @saved_cs_client     = @@character_set_client */'
    expect(charset.follow(save)).toBe(save)
    charset.follow('/*!50003 SET character_set_client  = gbk */ ')
    expect(charset.follow('/*!40101 SET character_set_client = @saved_cs_client */')).toBe(
      'SET character_set_client = utf8mb4',
    )
    charset.requireClear(hidden)
  })

  it.each([
    'SET character_set_client = @never_saved',
    "SET character_set_client = concat('g', 'bk')",
    'SET @a = 1, character_set_client = gbk',
    'SET NAMES utf8mb4, @a = 1',
    'SET CHAR SET gbk',
    'SET CHARACTER/**/SET gbk',
    'SET `character_set_client` = gbk',
    '/*!99999 SET NAMES utf8mb4 */',
    'SET /*!99999 NAMES gbk */ NAMES utf8mb4',
  ])('is not guessed: %s', (sql) => {
    expect(followCharset().follow(sql)).toBeUndefined()
  })

  it.each([
    'SET TIME_ZONE=@OLD_TIME_ZONE',
    'SET character_set_results = utf8mb4',
    'CREATE TABLE `names` (charset int)',
    'SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION',
  ])('has nothing to do with %s', (sql) => {
    expect(followCharset().follow(sql)).toBe(sql)
  })
})
