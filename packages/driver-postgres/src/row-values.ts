/** Lines that begin something new: what comes before the next of them belongs to the value that was cut. */
const beginning =
  /^(\S+: (error|fatal|warning|detail|hint): |(\S+: )?(ERROR|FATAL|PANIC|WARNING|NOTICE|DETAIL|HINT|CONTEXT|STATEMENT): |Command was: |pg_\w+: |psql:|LINE \d+: )/

/** Where a message of the server goes on with values of rows, or with statements that hold some. */
const values: readonly (readonly [RegExp, string])[] = [
  [/(DETAIL: +Key \(.*?\)=)\(.*$/, '$1(…)'],
  [/(DETAIL: +(?:Failing row|Partition key of the failing row) contains ).*$/, '$1(…)'],
  [/(DETAIL: +Token ).*$/, '$1…'],
  [/((?:CONTEXT: +)?COPY .*?, line \d+(?:, column .*?)?): .*$/, '$1'],
  [/(JSON data, line \d+): .*$/, '$1'],
  [/(ERROR: +(?:invalid input|malformed|date\/time field|interval field|time zone)[^"]*)".*$/, '$1"…"'],
  [/(ERROR: +(?:value|integer)) ".*?"( is out of range.*)$/, '$1 "…"$2'],
  [/(LINE \d+: ).*\b(?:INSERT|VALUES|COPY)\b.*$/i, '$1…'],
  [/((?:Command was|STATEMENT): +INSERT INTO [^(]*?) *(?:\(|VALUES\b|OVERRIDING\b).*$/i, '$1 …'],
]

/**
 * Takes values of rows out of what the server and its programs say, line by line: they are data, and messages end up in
 * logs and in errors. Which table, line, column and constraint it was stays.
 *
 * @returns A function that gives a line back without them; `undefined` for a line that is nothing but a value.
 */
export function rowValueFilter(): (line: string) => string | undefined {
  let within = false
  return (line) => {
    if (within && !beginning.test(line)) return undefined
    const found = values.find(([pattern]) => pattern.test(line))
    within = found !== undefined
    return found ? line.replace(found[0], found[1]) : line
  }
}

/** The same for several lines. */
export function withoutRowValues(text: string): string {
  const filter = rowValueFilter()
  return text
    .split('\n')
    .map(filter)
    .filter((line) => line !== undefined)
    .join('\n')
}
