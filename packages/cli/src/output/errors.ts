import type { BackupError, BackupErrorCode } from '@holdfast/core'
import { noPaint, type Paint } from './colours.js'
import { visibleLines } from './visible.js'

/** An error as JSON. */
export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** Whether it is a {@link BackupError}; known by its name, so that this file loads nothing. */
export function asBackupError(error: unknown): BackupError | undefined {
  return error instanceof Error && error.name === 'BackupError' ? (error as BackupError) : undefined
}

/** The code of an error, `undefined` for what is not a {@link BackupError}. */
export function codeOf(error: unknown): BackupErrorCode | undefined {
  return asBackupError(error)?.code
}

/** What failed and why, and what to do. With `verbose`, what is beneath and where it was thrown. */
export function describeError(error: unknown, paint: Paint = noPaint, verbose = false): string {
  const { message, hint } = errorDocument(error).error
  const lines = [`${paint.bad('Error:')} ${visibleLines(message)}`]
  if (hint !== undefined) lines.push(visibleLines(hint).replace(/^/gm, '  '))
  if (verbose && error instanceof Error) lines.push('', paint.faint(visibleLines(stacksOf(error))))
  return lines.join('\n')
}

export function errorDocument(error: unknown): ErrorDocument {
  const known = asBackupError(error)
  if (known) {
    return {
      error: { code: known.code, message: known.message, ...(known.hint !== undefined && { hint: known.hint }) },
    }
  }
  const message = error instanceof Error ? error.message || error.name : String(error)
  const hint = 'This was not foreseen. Run the command again with --verbose and report what it prints.'
  return { error: { code: 'internal', message, hint } }
}

function stacksOf(error: Error): string {
  const own = error.stack ?? String(error)
  return error.cause instanceof Error ? `${own}\nCaused by: ${stacksOf(error.cause)}` : own
}
