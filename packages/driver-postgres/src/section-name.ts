/** What {@link sectionName} needs to know of an object. */
export interface NamedObject {
  /** As pg_dump calls it: `TABLE`, `FK CONSTRAINT`, … */
  readonly kind: string
  readonly tag: string
  readonly schema: string | undefined
}

/** Kinds whose own words say little. */
const words: Readonly<Record<string, string>> = {
  'FK CONSTRAINT': 'foreign key',
  'TABLE DATA': 'rows of',
  'SEQUENCE SET': 'value of sequence',
  'MATERIALIZED VIEW DATA': 'filling of materialized view',
  BLOB: 'large object',
  'BLOB METADATA': 'large objects',
  ACL: 'grants on',
  'DEFAULT ACL': '',
  COMMENT: 'comment on',
  'SECURITY LABEL': 'security label on',
}

/** Kinds whose tags begin with the kind of another object: `TABLE orders`. */
const remarks: ReadonlySet<string> = new Set(['ACL', 'COMMENT', 'SECURITY LABEL'])

/** What people call an object of a dump: `table public.orders`, `grants on table public.orders`. */
export function sectionName({ kind, tag, schema }: NamedObject): string {
  const word = words[kind] ?? kind.toLowerCase()
  const [, about = '', name = tag] = (remarks.has(kind) && /^([A-Z][A-Z ]*) (.*)$/s.exec(tag)) || []
  const qualified = schema === undefined ? name : `${schema}.${name}`
  return [word, about.toLowerCase(), qualified].filter(Boolean).join(' ')
}
