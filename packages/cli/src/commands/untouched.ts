import { BackupError, isBackupError } from '@holdfast/core'

/** Says of whatever fails before a restore begins that nothing was touched: at that moment nothing else matters more. */
export async function untouched<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw sayUntouched(error)
  }
}

/** The same for an error that was caught. */
export function sayUntouched(error: unknown): unknown {
  if (!isBackupError(error)) return error
  const { code, message, hint = '', retryable } = error
  if (/(?:nothing|not) (?:was|were) touched|not touched/i.test(`${message} ${hint}`)) return error
  return new BackupError(code, { message, hint: `Nothing was touched. ${hint}`.trim(), retryable, cause: error })
}
