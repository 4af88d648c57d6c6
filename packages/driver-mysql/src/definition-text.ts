import { quoteIdentifier } from './quoting.js'
import { withoutVersions } from './statement-subject.js'

/** Names of another database that stand before a dot become those of this one: in views, and in defaults of columns. */
export function requalify(sql: string, from: string, into: string): string {
  const [old, fresh] = [quoteIdentifier(from), quoteIdentifier(into)]
  if (!sql.includes(`${old}.`)) return sql
  const parts = /'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`\.?/gs
  let previous = ''
  return sql.replace(parts, (part) => {
    const first = !previous.endsWith('.')
    previous = part
    return first && part === `${old}.` ? `${fresh}.` : part
  })
}

/** A trigger whose own name and whose table stand without the name of the database that was dumped. */
export function unqualifyTrigger(sql: string, from: string): string {
  const head = /^.*?\bFOR\s+EACH\s+ROW\b/is.exec(sql)?.[0]
  if (!head) return sql
  const names = [quoteIdentifier(from), from].map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const qualified = new RegExp(`(\\bTRIGGER\\s+|\\bON\\s+)(?:${names.join('|')})\\s*\\.\\s*`, 'gi')
  return head.replace(qualified, '$1') + sql.slice(head.length)
}

const account = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|\'[^\']*\'|[\\w.%-]+)'
const definer = new RegExp(`\\bDEFINER\\s*=\\s*${account}(?:\\s*@\\s*${account})?`, 'i')

const head = new RegExp(
  `^CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:ALGORITHM\\s*=\\s*\\w+\\s+)?DEFINER\\s*=\\s*(${account})`,
  'i',
)

const kinds = '(?:TABLE|SEQUENCE|TRIGGER|PROCEDURE|FUNCTION|EVENT|PACKAGE(?:\\s+BODY)?)'
const unlessThere = new RegExp(
  `^(CREATE\\s+(?:DEFINER\\s*=\\s*${account}(?:\\s*@\\s*${account})?\\s+)?(?:AGGREGATE\\s+)?${kinds}\\s+)IF\\s+NOT\\s+EXISTS\\s+`,
  'i',
)

/** A definition that fails where somebody else has put its name to something meanwhile: it neither replaces that, nor takes it for its own. */
export function asNew(sql: string): string {
  return sql.replace(/^((?:\/\*M?!\d*\s*)?CREATE\s+)OR\s+REPLACE\s+/i, '$1').replace(unlessThere, '$1')
}

/** The account that a definition names as its definer, or the first part of it. */
export function definerOf(sql: string): string | undefined {
  return head.exec(withoutVersions(sql))?.[1]
}

const owner = new RegExp(`${head.source}(\\s*@\\s*${account})?`, 'i')

/** The account to which a definition belongs, as the server writes it: `` `user`@`host` ``, or a role of MariaDB. */
export function ownerOf(sql: string): string | undefined {
  const [, user, host = ''] = owner.exec(withoutVersions(sql)) ?? []
  return user === undefined ? undefined : user + host
}

/** A definition of the connecting user's own. */
export function invokerDefines(sql: string): string {
  return sql.replace(definer, 'DEFINER=CURRENT_USER')
}

/** An event that would run, so that it does not. */
export function stopEvent(sql: string): string {
  return replaceState(sql, 'ENABLE', 'DISABLE')
}

/** An event that {@link stopEvent} has stopped, as it was. */
export function runEvent(sql: string): string {
  return replaceState(sql, 'DISABLE', 'ENABLE')
}

/** As SHOW CREATE EVENT writes it: the state stands after ON COMPLETION, before the comment and the body. */
function replaceState(sql: string, from: string, to: string): string {
  const match = /\bON\s+COMPLETION\s+(?:NOT\s+)?PRESERVE\s+(?=(\w+(?:\s+ON\s+\w+)?))/i.exec(sql)
  if (match?.[1]?.toUpperCase() !== from) return sql
  const at = match.index + match[0].length
  return sql.slice(0, at) + to + sql.slice(at + from.length)
}
