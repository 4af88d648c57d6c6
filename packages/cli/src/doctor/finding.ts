import type { BackupErrorCode } from '@holdfast/core'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { codeOf, errorDocument } from '../output/errors.js'

/** One thing that doctor looked at. */
export interface Finding {
  readonly level: 'good' | 'warning' | 'problem'
  /** What it is about, for example `source shop` or `storage disk`. */
  readonly about: string
  readonly text: string
  /** What to do. */
  readonly advice?: string
  /** Exit code that a problem stands for. */
  readonly exitCode?: ExitCode
  /** Of the error that it comes from. */
  readonly code?: BackupErrorCode
}

export function good(about: string, text: string): Finding {
  return { level: 'good', about, text }
}

export function warning(about: string, text: string, advice: string): Finding {
  return { level: 'warning', about, text, advice }
}

export function problem(about: string, text: string, advice: string, exitCode: ExitCode): Finding {
  return { level: 'problem', about, text, advice, exitCode }
}

/** A problem from what was thrown. */
export function failure(about: string, error: unknown): Finding {
  const { message, hint } = errorDocument(error).error
  const code = codeOf(error)
  return {
    level: 'problem',
    about,
    text: message,
    ...(hint !== undefined && { advice: hint }),
    exitCode: exitCodeFor('doctor', code),
    ...(code !== undefined && { code }),
  }
}

/** The exit code of a report: that of its first problem. */
export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  return findings.find(({ level }) => level === 'problem')?.exitCode ?? exitCodes.done
}
