import { withoutRowValues } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { rowValues } from './row-values.js'

describe('messages without values of rows', () => {
  it.each([
    [
      "ERROR 1062 (23000) at line 41: Duplicate entry 'a secret' for key 'PRIMARY'",
      "ERROR 1062 (23000) at line 41: Duplicate entry '…' for key 'PRIMARY'",
    ],
    ["Duplicate entry 'it's a secret' for key 'x'' for key 't.by_name'", "Duplicate entry '…' for key 't.by_name'"],
    [
      "ERROR 1062 (23000) at line 41: Duplicate entry 'of\ntwo secret lines' for key 'PRIMARY'\nmariadb: the end",
      "ERROR 1062 (23000) at line 41: Duplicate entry '…'\nmariadb: the end",
    ],
    [
      'Incorrect integer value: \'a secret\' for column `shop`.`t`.`odd "name"` at row 7',
      'Incorrect integer value: \'…\' for column `shop`.`t`.`odd "name"` at row 7',
    ],
    ["Truncated incorrect DOUBLE value: 'a secret' for me'", "Truncated incorrect DOUBLE value: '…'"],
    [
      "Incorrect datetime value: 'secret' for function str_to_date",
      "Incorrect datetime value: '…' for function str_to_date",
    ],
    ["Invalid utf8mb4 character string: 'secret\\xF0'", "Invalid utf8mb4 character string: '…'"],
    ["Illegal double '9999' value found during parsing", "Illegal double '…' value found during parsing"],
    [
      "Got overflow when converting '9999' to INT. Value truncated",
      "Got overflow when converting '…' to INT. Value truncated",
    ],
    ["BIGINT value is out of range in '(9999 - 10000)'", "BIGINT value is out of range in '…'"],
    [
      "Foreign key constraint for table 't', record 'secret' would lead to a duplicate entry in a child table",
      "Foreign key constraint for table 't', record '…' would lead to a duplicate entry in a child table",
    ],
    ['Table has no partition for value 9999', 'Table has no partition for value …'],
    ["Cannot convert 'utf8mb4' character 0x9999 to 'latin1'", "Cannot convert 'utf8mb4' character … to 'latin1'"],
    [
      "ERROR 1064 (42000) at line 9: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'secret')' at line 1",
      "ERROR 1064 (42000) at line 9: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '…' at line 1",
    ],
  ])('%s', (said, shown) => {
    expect(withoutRowValues(said, rowValues)).toBe(shown)
    expect(shown).not.toMatch(/secret|9999/)
  })

  it.each([
    "Table 'shop.t' doesn't exist",
    "Column 'a' cannot be null",
    'Cannot add or update a child row: a foreign key constraint fails (`shop`.`child`, CONSTRAINT `c` FOREIGN KEY (`p`) REFERENCES `parent` (`id`))',
    "Data too long for column 'note' at row 3",
    'mariadb-dump: Couldn\'t find table: "nobody"',
    'anything\nof two lines',
  ])('stay as they are: %s', (said) => {
    expect(withoutRowValues(said, rowValues)).toBe(said)
  })
})
