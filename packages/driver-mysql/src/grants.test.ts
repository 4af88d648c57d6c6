import { describe, expect, it } from 'vitest'
import { rightsFrom } from './grants.js'

describe('rights', () => {
  it.each([
    ["GRANT ALL PRIVILEGES ON *.* TO `admin`@`%` IDENTIFIED BY PASSWORD '*1' WITH GRANT OPTION", 'shop', []],
    ['GRANT SELECT, CREATE VIEW, TRIGGER ON *.* TO `a`@`%`', 'shop', ['EVENT']],
    ['GRANT SELECT, CREATE VIEW, TRIGGER ON `shop`.* TO `a`@`%`', 'shop', ['EVENT']],
    ['GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`', 'shops', ['CREATE VIEW', 'TRIGGER', 'EVENT']],
    ['GRANT ALL PRIVILEGES ON `my_shop%`.* TO `a`@`%`', 'my-shop__before_1', []],
    ['GRANT ALL PRIVILEGES ON `my\\_shop\\_%`.* TO `a`@`%`', 'my_shop__before_1', []],
    ['GRANT ALL PRIVILEGES ON `my\\_shop`.* TO `a`@`%`', 'my-shop', ['CREATE VIEW', 'TRIGGER', 'EVENT']],
    ['GRANT ALL PRIVILEGES ON `s``h.o+p (ü) \\\\`.* TO `a`@`%`', 's`h.o+p (ü) \\', []],
    ['GRANT CREATE VIEW, TRIGGER, EVENT ON `shop`.`orders` TO `a`@`%`', 'shop', ['CREATE VIEW', 'TRIGGER', 'EVENT']],
    ['GRANT CREATE VIEW ON `a ON ``b```.* TO `c`@`%`', 'a ON `b`', ['TRIGGER', 'EVENT']],
    ["GRANT PROXY ON ''@'%' TO 'a'@'%'", 'shop', ['CREATE VIEW', 'TRIGGER', 'EVENT']],
  ])('of %s on %s lack %j', (line, schema, missing) => {
    const rights = rightsFrom(['GRANT USAGE ON *.* TO `a`@`%`', line])
    expect(rights.missing(schema, ['CREATE VIEW', 'TRIGGER', 'EVENT'])).toEqual(missing)
    expect(rights.hasRoles).toBe(false)
  })

  it('on a table are not those on its schema', () => {
    const rights = rightsFrom([
      'GRANT SELECT, TRIGGER ON `my``shop`.`t` TO `a`@`%`',
      'GRANT EVENT ON `my``shop`.* TO `a`@`%`',
    ])
    expect(rights.missing('my`shop', ['TRIGGER', 'EVENT'])).toEqual(['TRIGGER'])
    expect(['TRIGGER', 'EVENT'].map((right) => rights.hasOnTable('my`shop', right))).toEqual([true, false])
    expect(rights.hasOnTable('shop', 'TRIGGER')).toBe(false)
    expect(['t', 'u'].map((table) => rights.hasOnTable('my`shop', 'TRIGGER', table))).toEqual([true, false])
  })

  it('on the whole server may be dynamic ones, written without spaces', () => {
    const rights = rightsFrom([
      'GRANT SUPER ON `shop`.* TO `a`@`%`',
      'GRANT BACKUP_ADMIN,SET_ANY_DEFINER ON *.* TO `a`@`%`',
    ])
    expect(rights.hasGlobally('SET_ANY_DEFINER')).toBe(true)
    expect(rights.hasGlobally('SUPER')).toBe(false)
  })

  it('may come from roles', () => {
    expect(rightsFrom(['GRANT `maker`@`%` TO `a`@`%`']).hasRoles).toBe(true)
  })
})
