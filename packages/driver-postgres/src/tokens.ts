const token = /"(?:[^"]|"")*"|[eE]?'(?:[^'\\]|''|\\.)*'|\$(\w*)\$.*?\$\1\$|[\w$\u0080-\uffff]+|[^\s]/gs

/** Words, quoted things and marks of a short SQL text. */
export function tokensOf(sql: string): readonly string[] {
  return sql.match(token) ?? []
}

/** The name that an identifier stands for. */
export function nameOf(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier.toLowerCase()
}
