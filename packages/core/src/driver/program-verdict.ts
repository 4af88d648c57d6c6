import { BackupError, type BackupErrorCode } from '../backup-error.js'
import type { ChildExit } from './child.js'
import { wasEndedByOthers } from './child-process.js'

/** What an error of a server, or of one of its client programs, comes to. */
export interface ErrorMeaning {
  /** `dump-failed` stands for "what the program was to do has failed". */
  readonly code: BackupErrorCode
  readonly retryable?: boolean
  readonly hint?: string
  /** What happened, where the program's own words say it badly. */
  readonly message?: string
}

/** What {@link judgeProgram} has to know of a program beside its exit. */
export interface JudgedProgram {
  /** As it is called: `pg_dump`. */
  readonly name: string
  /** The code of an error where nothing more is known. */
  readonly failure: BackupErrorCode
  /** Lines that it warned with. */
  readonly warnings: readonly string[]
  /** Whether a warning is a failure. Default `complete`. */
  readonly onWarning?: 'complete' | 'fail' | undefined
  /** What its last words mean, where they say more than the exit code. */
  meaningOf(stderr: string): ErrorMeaning | undefined
  /** Its last words without what messages must not hold. Default: as they are. */
  shown?(stderr: string): string
}

/** For a child's `classify`: reads the end of a client program out of its exit code and its last words. */
export function judgeProgram(
  { code, signal, stderrTail }: ChildExit,
  { name, failure, warnings, onWarning, meaningOf, shown = (words) => words }: JudgedProgram,
): BackupError | undefined {
  if (code === 0) {
    const [first] = warnings
    if (onWarning !== 'fail' || first === undefined) return undefined
    return new BackupError(failure, {
      message: `${name} warned: ${first}`,
      hint: "Look into the warning, or accept warnings with onWarning: 'complete'.",
    })
  }
  const words = shown(stderrTail)
  const meaning = code === null ? undefined : meaningOf(stderrTail)
  if (!meaning && words === stderrTail) return undefined // the exit code says it all
  const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
  const { code: meant = 'dump-failed', hint, retryable, message } = meaning ?? {}
  return new BackupError(meant === 'dump-failed' ? failure : meant, {
    message: message ?? `${name} ${how}: ${words}`,
    hint,
    retryable: retryable ?? wasEndedByOthers({ signal }),
  })
}
