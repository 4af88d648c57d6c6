import { describe, expect, it } from 'vitest'
import type { DatabaseProperties } from './database-properties.js'
import { applyStatements, createDatabaseStatement, rolesOf } from './property-statements.js'

const like: DatabaseProperties = {
  encoding: 'UTF8',
  collate: 'de_DE.UTF-8',
  ctype: 'C',
  localeProvider: 'icu',
  locale: "de-u-co-phonebk'",
  owner: 'own"er',
  comment: "it's \\",
  connectionLimit: 5,
  grants: [
    { privilege: 'CONNECT', grantable: false },
    { role: 'r', privilege: 'TEMPORARY', grantable: true },
    { role: 'evil', privilege: 'CONNECT on database x to y; drop database z; --', grantable: false },
  ],
  settings: [
    { name: 'search_path', value: 'a, "B, ""c""", "$user"' },
    { role: 's', name: 'my.odd', value: "x'y" },
    { name: 'temp_tablespaces', value: '' },
  ],
}
const all = { noOwner: false, noPrivileges: false }

describe('properties of a database', () => {
  it('are made into statements in which every name and value is quoted', () => {
    expect(applyStatements('d"b', like, all).map(({ sql }) => sql)).toEqual([
      `alter database "d""b" set "search_path" to 'a', 'B, "c"', '$user'`,
      `alter role "s" in database "d""b" set "my"."odd" to 'x''y'`,
      `alter database "d""b" set "temp_tablespaces" to ''`,
      `comment on database "d""b" is  E'it''s \\\\'`,
      'alter database "d""b" connection limit 5',
      'revoke all on database "d""b" from public',
      'grant CONNECT on database "d""b" to public',
      'grant TEMPORARY on database "d""b" to "r" with grant option',
      'alter database "d""b" owner to "own""er"',
    ])
    const bare = applyStatements('x', like, { noOwner: true, noPrivileges: true })
    expect(bare.every(({ essential }) => !essential)).toBe(true)
  })

  it('name the roles they need', () => {
    expect(rolesOf(like, all)).toEqual(['own"er', 'r', 'evil', 's'])
    expect(rolesOf(like, { noOwner: true, noPrivileges: true })).toEqual(['s'])
  })

  it('decide how a database is made', () => {
    expect(createDatabaseStatement('x', undefined, 15)).toBe('create database "x" template template0')
    expect(createDatabaseStatement('x', like, 14)).toBe(
      `create database "x" template template0 encoding 'UTF8' lc_collate 'de_DE.UTF-8' lc_ctype 'C'`,
    )
    expect(createDatabaseStatement('x', like, 15)).toMatch(/ locale_provider "icu" icu_locale 'de-u-co-phonebk'''$/)
    expect(createDatabaseStatement('x', { ...like, localeProvider: 'builtin', locale: 'C.UTF-8' }, 17)).toMatch(
      / locale_provider "builtin" builtin_locale 'C.UTF-8'$/,
    )
  })
})
