import type { RowValueRules } from '@holdfast/core'

/** Where PostgreSQL and its programs write values of rows into their messages. */
export const rowValues: RowValueRules = {
  beginning:
    /^(\S+: (error|fatal|warning|detail|hint): |(\S+: )?(ERROR|FATAL|PANIC|WARNING|NOTICE|DETAIL|HINT|CONTEXT|STATEMENT): |Command was: |pg_\w+: |psql:|LINE \d+: )/,
  values: [
    [/(DETAIL: +Key \(.*?\)=)\(.*$/, '$1(…)'],
    [/(DETAIL: +(?:Failing row|Partition key of the failing row) contains ).*$/, '$1(…)'],
    [/(DETAIL: +Token ).*$/, '$1…'],
    [/((?:CONTEXT: +)?COPY .*?, line \d+(?:, column .*?)?): .*$/, '$1'],
    [/(JSON data, line \d+): .*$/, '$1'],
    [/(ERROR: +(?:invalid input|malformed|date\/time field|interval field|time zone)[^"]*)".*$/, '$1"…"'],
    [/(ERROR: +(?:value|integer)) ".*?"( is out of range.*)$/, '$1 "…"$2'],
    [/(LINE \d+: ).*\b(?:INSERT|VALUES|COPY)\b.*$/i, '$1…'],
    [/((?:Command was|STATEMENT): +INSERT INTO [^(]*?) *(?:\(|VALUES\b|OVERRIDING\b).*$/i, '$1 …'],
  ],
}
