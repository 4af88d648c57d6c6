import { type RunContext, rowValueFilter } from '@holdfast/core'
import { rowValues } from './row-values.js'

/** What the client programs said, read live. */
export interface Messages {
  /** Lines of warnings so far. */
  readonly warnings: readonly string[]
  /** For a child's `onStderrLine`. */
  onLine(line: string): void
}

/**
 * Logs what a program says on standard error and keeps its warnings: `pg_dump: warning: …` and the `detail:` and
 * `hint:` lines that belong to one, and `WARNING:  …` of the server. Values of rows are left out.
 */
export function collectMessages(program: string, ctx: RunContext): Messages {
  const warnings: string[] = []
  let inWarning = false
  const filter = rowValueFilter(rowValues)
  const onLine = (said: string): void => {
    const line = filter(said)
    if (line === undefined) return
    const kind = kindOf(line, inWarning)
    inWarning = kind === 'warning'
    if (kind === 'warning') warnings.push(line)
    if (kind === 'error') ctx.log.error(line, { program })
    else if (kind === 'warning') ctx.log.warn(line, { program })
    else ctx.log.info(line, { program })
  }
  return { warnings, onLine }
}

function kindOf(line: string, inWarning: boolean): 'info' | 'warning' | 'error' {
  if (/^\S+: warning: |^(\S+: )?WARNING: /.test(line)) return 'warning'
  if (inWarning && (/^\S+: (detail|hint): /.test(line) || /^(DETAIL|HINT|CONTEXT): /.test(line))) return 'warning'
  return /^\S+: (error|fatal): |^(\S+: )?(ERROR|FATAL|PANIC): /.test(line) ? 'error' : 'info'
}
