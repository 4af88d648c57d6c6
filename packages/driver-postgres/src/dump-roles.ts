import type { ArchiveEntry } from './archive.js'
import { nameOf, tokensOf } from './tokens.js'

const everybody = new Set(['public', 'current_user', 'current_role', 'session_user'])

/** The roles that a restore of these entries names: owners, and those who get or lose grants. */
export function rolesNamed(
  entries: readonly ArchiveEntry[],
  { noOwner, noPrivileges }: { readonly noOwner: boolean; readonly noPrivileges: boolean },
): readonly string[] {
  const roles = new Set<string>()
  for (const entry of entries) {
    const isGrant = entry.kind === 'ACL' || entry.kind === 'DEFAULT ACL'
    if (!noOwner && entry.owner && !isGrant && hasOwner(entry)) roles.add(entry.owner)
    if (!noPrivileges && isGrant) for (const role of grantees(entry.definition)) roles.add(role)
  }
  return [...roles].sort()
}

/** Whether pg_restore will say `OWNER TO`; for the rest the owner is only information. */
export function hasOwner({ kind, definition }: Pick<ArchiveEntry, 'kind' | 'definition'>): boolean {
  const without = ['TABLE DATA', 'SEQUENCE SET', 'BLOBS', 'COMMENT', 'DATABASE', 'ENCODING', 'STDSTRINGS', 'SEARCHPATH']
  const ofTable = ['INDEX', 'CONSTRAINT', 'FK CONSTRAINT', 'CHECK CONSTRAINT', 'DEFAULT', 'TRIGGER', 'RULE', 'POLICY']
  const others = [
    'ROW SECURITY',
    'EXTENSION',
    'SECURITY LABEL',
    'CAST',
    'TRANSFORM',
    'PUBLICATION TABLE',
    'USER MAPPING',
  ]
  return definition !== '' && ![...without, ...ofTable, ...others].includes(kind)
}

/** `GRANT … TO role [WITH GRANT OPTION];`, `REVOKE … FROM role;`, `ALTER DEFAULT PRIVILEGES FOR ROLE role …` */
function grantees(definition: string): readonly string[] {
  const roles: string[] = []
  let statement: string[] = []
  for (const token of tokensOf(definition)) {
    if (token !== ';') {
      statement.push(token)
      continue
    }
    const words = statement.map((word) => word.toUpperCase())
    const end = words.slice(-3).join(' ') === 'WITH GRANT OPTION' ? -4 : -1
    const forRole = words.indexOf('ROLE')
    const named = [
      ...(['TO', 'FROM', 'AUTHORIZATION'].includes(words.at(end - 1) ?? '') ? [statement.at(end)] : []),
      ...(words[0] === 'ALTER' && forRole > 0 ? [statement[forRole + 1]] : []),
    ]
    for (const role of named) if (role !== undefined) roles.push(nameOf(role))
    statement = []
  }
  return roles.filter((role) => !everybody.has(role))
}
