import { expect, it } from 'vitest'
import { nameOf, tokensOf } from './tokens.js'

it('takes quoted things as one', () => {
  expect(tokensOf(`GRANT SELECT ON "a ""b"".c;".t TO x; E'it\\'s' $a$ ; $a$ é_1`)).toEqual([
    'GRANT',
    'SELECT',
    'ON',
    '"a ""b"".c;"',
    '.',
    't',
    'TO',
    'x',
    ';',
    "E'it\\'s'",
    '$a$ ; $a$',
    'é_1',
  ])
  expect(tokensOf('  ')).toEqual([])
})

it('folds names unless they are quoted', () => {
  expect(nameOf('Public')).toBe('public')
  expect(nameOf('"A ""b"""')).toBe('A "b"')
})
