import { BackupError, isBackupError, type PreflightProblem } from '@holdfast/core'

const refusals = [
  ...(['restore-refused', 'target-in-use', 'target-not-empty', 'source-missing'] as const),
  ...(['tool-missing', 'tool-too-old', 'config-invalid'] as const),
] as const

/** Runs every check, and gives what they refuse; anything else that they throw is thrown. */
export async function collectProblems(
  checks: readonly (() => Promise<unknown>)[],
): Promise<readonly (PreflightProblem & { readonly error: BackupError })[]> {
  const problems: (PreflightProblem & { error: BackupError })[] = []
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof BackupError) || !refusals.some((code) => isBackupError(error, code))) throw error
      const { message, hint } = error
      problems.push({ message, error, ...(hint !== undefined && { hint }) })
    }
  }
  return problems
}

/** @throws {BackupError} The one problem as it is; several as one `restore-refused`. */
export function refuse(problems: readonly (PreflightProblem & { readonly error?: BackupError })[]): void {
  const [first, second] = problems
  if (!first) return
  if (!second && first.error) throw first.error
  const hints = problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint]))
  throw new BackupError('restore-refused', {
    message: problems.map(({ message }) => message).join('; '),
    ...(hints.length > 0 && { hint: [...new Set(hints)].join(' ') }),
  })
}
