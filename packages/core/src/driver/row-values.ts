/** How a server and its programs write values of rows into what they say. */
export interface RowValueRules {
  /** Lines that begin something new: what comes before the next of them belongs to the value that was cut. */
  readonly beginning: RegExp
  /** Where a line goes on with values of rows, or with statements that hold some, and what to write instead. */
  readonly values: readonly (readonly [RegExp, string])[]
}

/**
 * Takes values of rows out of what a server and its programs say, line by line: they are data, and messages end up in
 * logs and in errors. Which table, line, column and constraint it was stays.
 *
 * @returns A function that gives a line back without them; `undefined` for a line that is nothing but a value.
 */
export function rowValueFilter({ beginning, values }: RowValueRules): (line: string) => string | undefined {
  let within = false
  return (line) => {
    if (within && !beginning.test(line)) return undefined
    const found = values.find(([pattern]) => pattern.test(line))
    within = found !== undefined
    return found ? line.replace(found[0], found[1]) : line
  }
}

/** The same for several lines at once. */
export function withoutRowValues(text: string, rules: RowValueRules): string {
  return text
    .split('\n')
    .map(rowValueFilter(rules))
    .filter((line) => line !== undefined)
    .join('\n')
}
