import { expect, it } from 'vitest'
import { entryOf } from '../test/entries.js'
import { rolesNamed } from './dump-roles.js'

const acl = (definition: string) => entryOf(90, 'ACL', 'TABLE t', { owner: 'not counted', definition })
const all = { noOwner: false, noPrivileges: false }

it('names owners, and those who get and lose grants', () => {
  const entries = [
    entryOf(1, 'TABLE', 't', { owner: 'Owner', definition: 'CREATE TABLE t ();' }),
    entryOf(2, 'TABLE DATA', 't', { owner: 'only information' }),
    entryOf(3, 'EXTENSION', 'hstore', { owner: 'no', definition: 'CREATE EXTENSION hstore;' }),
    acl('GRANT SELECT ON TABLE public."x TO evil;" TO reader;\nREVOKE ALL ON TABLE t FROM PUBLIC;\n'),
    acl('GRANT SELECT(id),UPDATE(v) ON TABLE t TO "Wri""ter" WITH GRANT OPTION;'),
    acl('SET SESSION AUTHORIZATION granter;\nGRANT SELECT ON TABLE t TO Folded;\nRESET SESSION AUTHORIZATION;'),
    entryOf(5, 'DEFAULT ACL', 'x', {
      definition: 'ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s GRANT SELECT ON TABLES TO viewer;',
    }),
  ]
  expect(rolesNamed(entries, all)).toEqual(['Owner', 'Wri"ter', 'folded', 'granter', 'maker', 'reader', 'viewer'])
  expect(rolesNamed(entries, { ...all, noOwner: true })).not.toContain('Owner')
  expect(rolesNamed(entries, { ...all, noPrivileges: true })).toEqual(['Owner'])
})
