import { type RunContext, rowValueFilter } from '@holdfast/core'
import { rowValues } from './row-values.js'

/** What the client programs said, read live. */
export interface Messages {
  /** Lines of warnings so far. */
  readonly warnings: readonly string[]
  /** For a child's `onStderrLine`. */
  onLine(line: string): void
}

/** That a password stands in an option file is what we want; that a name is deprecated helps nobody here. */
const noise = /Using a password on the command line|Deprecated program name|is deprecated and will be removed/i

/** What `--verbose` says of each table: `-- Retrieving table structure for table orders...`. */
const stage = /^-- /

/** Stands above and below a statement that failed, which `mariadb` repeats before it says why. */
const rule = /^-{14}$/

/** Begins what the client says of a statement that failed. */
const failed = /^ERROR (?:\d+|at) /

/** The last words of a program without what `--verbose` says, and without the statement that failed. */
export function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !stage.test(line))
  const words = lines.slice(lines.findLastIndex((line) => rule.test(line)) + 1)
  // Where the statement held values of rows, the rule below it was left out with them.
  return words
    .slice(
      Math.max(
        0,
        words.findIndex((line) => failed.test(line)),
      ),
    )
    .join('\n')
}

/**
 * Logs what a program says on standard error and keeps its warnings. Values of rows are left out.
 *
 * @param onStage - Gets what `--verbose` says, which is not logged: it is thousands of lines.
 */
export function collectMessages(program: string, ctx: RunContext, onStage?: (line: string) => void): Messages {
  const warnings: string[] = []
  const filter = rowValueFilter(rowValues)
  const onLine = (said: string): void => {
    if (stage.test(said)) {
      onStage?.(said)
      return
    }
    const line = filter(said)
    if (line === undefined) return
    if (noise.test(line)) ctx.log.debug(line, { program })
    else if (/\bwarning\b/i.test(line)) {
      warnings.push(line)
      ctx.log.warn(line, { program })
    } else if (/\berror\b/i.test(line)) ctx.log.error(line, { program })
    else ctx.log.info(line, { program })
  }
  return { warnings, onLine }
}
