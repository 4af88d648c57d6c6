/**
 * An identifier as PostgreSQL reads it back, whatever it holds.
 *
 * @throws RangeError for a NUL, which no identifier can hold.
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function quoteIdentifier(name: string): string {
  refuseNul(name)
  return `"${name.replaceAll('"', '""')}"`
}

/** A qualified name, or a plain one without a schema. */
export function quoteQualified(schema: string | undefined, name: string): string {
  return schema === undefined ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/**
 * A string literal. Backslashes are written so that they mean the same under either setting of
 * `standard_conforming_strings`.
 *
 * @throws RangeError for a NUL, which no text can hold.
 */
export function quoteLiteral(text: string): string {
  refuseNul(text)
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}

/** A value within a libpq connection string (`dbname='…'`), where a bare database name could pose as one. */
export function quoteConnectionValue(value: string): string {
  refuseNul(value)
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function refuseNul(text: string): void {
  if (text.includes('\0')) throw new RangeError('PostgreSQL names and texts cannot hold a NUL character')
}
