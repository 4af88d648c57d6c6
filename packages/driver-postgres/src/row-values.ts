import { type RowValueRules, withoutRowValues } from '@holdfast/core'

/** Messages whose first text in quotes is a value. */
const beforeValue = [
  'invalid (?:input|cidr value|octet value|hexadecimal digit|symbol|value(?= "))',
  'malformed|syntax error in ts|word is too long in ts|no operand in ts|string is not a valid identifier',
  '(?:date/time|interval) field|(?:date|timestamp) out of range|datetime format is|time zone',
].join('|')

/**
 * Where PostgreSQL and its programs write values of rows into their messages. Names of settings, of locales and of
 * objects stay: `invalid value for parameter "work_mem": "much"`.
 */
export const rowValues: RowValueRules = {
  beginning:
    /^(\S+: (error|fatal|warning|detail|hint): |(\S+: )?(ERROR|FATAL|PANIC|WARNING|NOTICE|DETAIL|HINT|QUERY|CONTEXT|STATEMENT): |Command was: |pg_\w+: |psql:|LINE \d+: |PL\/\w+ function |SQL (function|statement) ")/,
  values: [
    [/(DETAIL: +Key \(.*?\)=)\(.*$/, '$1(…)'],
    [/(DETAIL: +(?:Failing row|Partition key of the failing row) contains ).*$/, '$1(…)'],
    [/(DETAIL: +Token ).*$/, '$1…'],
    [/(DETAIL: +Expected .*, but found )".*$/, '$1"…"'],
    [/(DETAIL: +line \d+): .*$/, '$1'], // of XML
    [/((?:CONTEXT: +)?COPY .*?, line \d+(?:, column .*?)?): .*$/, '$1'],
    [/(JSON data, line \d+): .*$/, '$1'],
    [new RegExp(`(ERROR: +(?:${beforeValue})[^"]*)".*$`), '$1"…"'],
    [/(ERROR: +(?:value |integer |numeric time zone )?)".*"( (?:is )?out of range.*)$/, '$1"…"$2'],
    [/(ERROR: +)".*"( is not a valid (?:binary|hexadecimal) digit)$/, '$1"…"$2'],
    // What a function puts together and runs may hold values.
    [/((?:CONTEXT: +)?SQL statement ").*$/, '$1…"'],
    [/(QUERY: +).*$/, '$1…'],
    [/(LINE \d+: ).*\b(?:INSERT|VALUES|COPY)\b.*$/i, '$1…'],
    [/((?:Command was|STATEMENT): +INSERT INTO [^(]*?) *(?:\(|VALUES\b|OVERRIDING\b).*$/i, '$1 …'],
  ],
}

/** What the server says of a statement, as `pg` hands it on. */
interface Said {
  readonly detail?: string
  readonly internalQuery?: string
  readonly where?: string
}

/**
 * A message of the server without values of rows.
 *
 * @returns The message, and whether nothing had to be left out of it, nor of what else the error bears.
 */
export function withoutRows(message: string, error: unknown): { readonly shown: string; readonly isAll: boolean } {
  const begin = 'ERROR:  ' // as the programs write it, whose words the rules are made for
  const shown = withoutRowValues(begin + message, rowValues).slice(begin.length)
  const { detail, internalQuery, where } = (error instanceof Error ? error : {}) as Said
  const others = [
    detail && `DETAIL:  ${detail}`,
    internalQuery && `QUERY:  ${internalQuery}`,
    where && `CONTEXT:  ${where}`,
  ]
  const holdsNone = (words: string): boolean => withoutRowValues(words, rowValues) === words
  return { shown, isAll: shown === message && others.every((words) => !words || holdsNone(words)) }
}
