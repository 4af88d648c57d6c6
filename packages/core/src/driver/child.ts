import type { Readable, Writable } from 'node:stream'
import type { BackupError, BackupErrorCode } from '../backup-error.js'
import type { ChildSink, PipeEnd } from './child-output.js'
import type { ChildLimits } from './child-watchdog.js'
import type { ExtraPipe } from './extra-pipes.js'
import type { RowValueRules } from './row-values.js'

/** A program to start. There is no shell: arguments reach it as they are. */
export interface ChildSpec extends ChildLimits {
  /** For messages, for example `pg_dump`. */
  readonly name: string
  /** Absolute path. */
  readonly command: string
  readonly args: readonly string[]
  /** Added to {@link minimalEnvironment}; nothing else of this process's environment reaches the child. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  /** Whether it reads or writes much through C's standard streams; see {@link withLargeBuffers}. Default `false`. */
  readonly largeBuffers?: boolean | undefined
  /** Scheduling priority from -20 (most) to 19 (least). */
  readonly nice?: number | undefined
  /** Milliseconds between SIGTERM and SIGKILL. Default 5,000. */
  readonly killGraceMs?: number | undefined
  /** Exit codes that are success. Default `[0]`. */
  readonly okExitCodes?: readonly number[] | undefined
  /** Code of the error when it ends otherwise. Default `dump-failed`. */
  readonly failure?: BackupErrorCode | undefined
  /**
   * Judges how the child ended, when it did so by itself: the error to reject with, or `undefined` to let the exit
   * code speak. Called for good exit codes too, so that a policy on messages can fail the child.
   */
  classify?(exit: ChildExit): BackupError | undefined
  /** How its messages hold values of rows: they are kept out of {@link ChildExit.stderrTail}. */
  readonly rowValues?: RowValueRules | undefined
  /** Receives each line of standard error as it comes. What it throws kills the child. */
  onStderrLine?(line: string): void
}

/** Where a child's standard input comes from and its output goes to. What is given to it is closed here. */
export interface ChildIo {
  readonly stdin: 'ignore' | 'pipe' | PipeEnd
  readonly stdout: 'ignore' | 'pipe' | ChildSink
  /** For a pipe whose other end is here: whether bytes of the child wait for us. */
  readonly waitsForUs?: (() => boolean) | undefined
  /** Further descriptors, from 3 on. */
  readonly extra?: readonly ExtraPipe[]
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines of standard error, without values of rows: see {@link ChildSpec.rowValues}. */
  readonly stderrTail: string
}

/** A running program. */
export interface Child {
  readonly name: string
  /** Absent when the system could not start it; `done` says why. */
  readonly pid: number | undefined
  readonly stdin?: Writable
  readonly stdout?: Readable
  /**
   * Settles when the child is gone. Rejects with `signal.reason` untouched after an abort, with what was given to
   * `kill`, or with a {@link BackupError}. Need not be awaited: a rejection that nobody sees is no unhandled one.
   */
  readonly done: Promise<ChildExit>
  /**
   * Ends the child and all it started: SIGTERM to its process group, SIGKILL after the grace. The first call counts.
   *
   * @param reason - What `done` rejects with. Default: a {@link BackupError} `aborted`.
   */
  kill(reason?: unknown): void
  /** To be called by whoever sees bytes of the child: it is not idle. */
  touch(): void
}
