/**
 * An identifier as MySQL reads it back, whatever it holds.
 *
 * @throws RangeError for a NUL, which no identifier can hold.
 * @see https://dev.mysql.com/doc/refman/8.4/en/identifiers.html
 */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw new RangeError('MySQL names cannot hold a NUL character')
  return `\`${name.replaceAll('`', '``')}\``
}

/** A name with its schema. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/** A schema as grants name it, where `_` and `%` would stand for others. */
export function quotePattern(schema: string): string {
  return quoteIdentifier(schema.replace(/[\\_%]/g, '\\$&'))
}

/** An account as statements about rights name it; `account` is `name@host`. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@')
  return `${quoteIdentifier(account.slice(0, at))}@${quoteIdentifier(account.slice(at + 1))}`
}

/** A string literal that means the same with and without `NO_BACKSLASH_ESCAPES`. Made of hexadecimal digits. */
export function quoteLiteral(text: string): string {
  return text === '' ? "''" : `_utf8mb4 0x${Buffer.from(text).toString('hex')}`
}

/** The name that a quoted identifier stands for; with double quotes under `ANSI_QUOTES`. */
export function unquoteIdentifier(quoted: string): string {
  if (quoted.startsWith('"')) return quoted.slice(1, -1).replaceAll('""', '"')
  return quoted.startsWith('`') ? quoted.slice(1, -1).replaceAll('``', '`') : quoted
}

/** A value in an option file: quoted, with the escapes that its reader knows. */
export function quoteOptionValue(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return `"${escaped}"`
}
