/** A pattern of pg_dump, as regular expressions of the server. Without a schema it means what the search path shows. */
export interface NamePattern {
  readonly schema?: string
  readonly name: string
}

/**
 * Reads a pattern as the client programs do: `*` and `?` are wildcards, a dot separates schema and name, letters fold
 * to lower case, and double quotes take what is within them literally.
 *
 * @see https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
 */
export function parsePattern(pattern: string): NamePattern {
  const parts: [string, ...string[]] = ['']
  const add = (text: string): void => {
    parts[parts.length - 1] += text
  }
  let quoted = false
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern.charAt(index)
    if (char === '"' && quoted && pattern[index + 1] === '"') {
      add('"')
      index++
    } else if (char === '"') quoted = !quoted
    else if (quoted) add(literally(char))
    else if (char === '*') add('.*')
    else if (char === '?') add('.')
    else if (char === '.') parts.push('')
    else if (char === '$') add('\\$')
    else add(char.toLowerCase()) // brackets, bars and the like stay what they are in regular expressions
  }
  const whole = parts.map((part) => `^(${part})$`)
  const name = whole.at(-1) ?? ''
  const schema = whole.at(-2)
  return schema === undefined ? { name } : { schema, name }
}

function literally(char: string): string {
  return /[|*+?()[\]{}.^$\\]/.test(char) ? `\\${char}` : char
}

/** A pattern that means exactly one table, whatever its name holds. */
export function exactPattern(schema: string | undefined, name: string): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
}
