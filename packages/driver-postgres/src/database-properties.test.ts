import { describe, expect, it } from 'vitest'
import { type DatabaseProperties, propertiesFrom } from './database-properties.js'

const properties: DatabaseProperties = {
  encoding: 'UTF8',
  collate: 'de_DE.UTF-8',
  ctype: 'C',
  localeProvider: 'icu',
  locale: "de-u-co-phonebk'",
  owner: 'own"er',
  comment: "it's \\",
  connectionLimit: 5,
  grants: [{ role: 'r', privilege: 'TEMPORARY', grantable: true }],
  settings: [{ role: 's', name: 'my.odd', value: "x'y" }],
}

describe('database properties', () => {
  it('come back out of a manifest, and nothing comes out of a strange one', () => {
    expect(propertiesFrom(JSON.parse(JSON.stringify({ database: properties })))).toEqual(properties)
    expect(propertiesFrom({ database: { encoding: 1 } })).toBeUndefined()
    expect(propertiesFrom({})).toBeUndefined()
  })
})
