import type { RowValueRules } from '@holdfast/core'

/** Cuts the text in quotes after `before`; what follows it stays where it reads like `after`. */
const cut = (before: string, after = ''): readonly [RegExp, string] => [
  new RegExp(`(${before} )'(?:.*'(?=${after}$)|.*)`, 'i'),
  "$1'…'",
]

/**
 * Where MySQL, MariaDB and their programs write values of rows into their messages.
 *
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
export const rowValues: RowValueRules = {
  beginning: /^(?:ERROR (?:\d+|at) |(?:mysql|mariadb)(?:dump|-dump)?: |(?:Warning|Note|Error) \(Code |WARNING: )/,
  values: [
    [/^((?:INSERT|REPLACE) (?:IGNORE )?INTO [^(]*?) *(?:\(|VALUES\b).*$/i, '$1 …'],
    cut('Duplicate entry', '(?: for key .*|\\.)'),
    cut("Incorrect [^']*value:", ' for (?:column .* at row \\d+|function \\S+)'),
    cut("Invalid [^']*character string:"),
    cut('Illegal \\S+', ' value found during parsing'),
    cut('(?:overflow when converting|Truncated value|illegal value)', ' (?:when converting )?to .*'),
    cut('is out of range in'),
    cut('Foreign key constraint for table .*?, record', ' would lead to a duplicate entry .*'),
    [/(Table has no partition for value ).*$/i, '$1…'],
    [/(Cannot convert '[^']*' character )0x\S+/i, '$1…'],
    // What stands near a mistake may be a row.
    cut('error in your SQL syntax; .* near', ' at line \\d+'),
  ],
}
