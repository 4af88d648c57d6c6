import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { basename } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { BackupError, type BackupErrorCode } from '../backup-error.js'
import type { RunContext } from '../run-context.js'
import { minimalEnvironment } from './child-environment.js'
import type { ChildSink, PipeEnd } from './child-output.js'
import { type ChildLimits, watchChild } from './child-watchdog.js'
import { dieWithParent, killOnExit, signalGroup } from './die-with-parent.js'
import { type ExtraPipe, serveExtraPipes } from './extra-pipes.js'
import { isProgram } from './find-program.js'
import { requireDescriptors } from './free-descriptors.js'
import { withLargeBuffers } from './large-buffers.js'
import { notStarted } from './not-started.js'
import { type RowValueRules, rowValueFilter } from './row-values.js'
import { readLines } from './stderr-lines.js'

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

/**
 * Starts a program in a process group of its own, which is killed on abort and dies with this process.
 *
 * @throws {BackupError} `tool-missing`, {@link ChildSpec.failure}. Throws `signal.reason` when aborted already.
 */
export function startChild(spec: ChildSpec, io: ChildIo, ctx: RunContext): Child {
  try {
    ctx.signal.throwIfAborted()
    if (!isProgram(spec.command)) throw toolMissing(spec)
    return supervise(spec, spawnGroup(spec, io), io, ctx)
  } finally {
    // In the tick of the spawn, so that the other child sees the end when this one ends.
    closeHere(io.stdin)
    closeHere(io.stdout)
  }
}

/** Kills a child and waits until it is gone. Its input stays open until then: psql commits what it has at the end of input. */
export async function killAndWait(child: Child, reason?: unknown): Promise<void> {
  child.kill(reason)
  await child.done.catch(() => {})
}

function spawnGroup(spec: ChildSpec, io: ChildIo): ChildProcess {
  const stdio = [
    forSpawn(io.stdin),
    forSpawn(io.stdout),
    'pipe' as const,
    ...(io.extra ?? []).map(() => 'pipe' as const),
  ]
  const child = attempt(spec, () => {
    requireDescriptors(stdio.length) // before anything is tried out, whose failure would be taken for an answer
    const { command, args } = dieWithParent(spec.largeBuffers ? withLargeBuffers(spec) : spec)
    return spawn(command, [...args], {
      stdio,
      env: { ...minimalEnvironment(), ...spec.env },
      detached: true,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    })
  })
  if (spec.nice !== undefined && child.pid !== undefined) lowerPriority(child.pid, spec.nice)
  return child
}

function forSpawn(io: ChildIo['stdin' | 'stdout']): 'ignore' | 'pipe' | Writable | number {
  return isPipeEnd(io) ? io.descriptor : io
}

/** A stream is destroyed, never ended: a shutdown would cut the connection that the child now holds. */
export function closeHere(io: ChildIo['stdin' | 'stdout']): void {
  if (isPipeEnd(io)) io[Symbol.dispose]()
  else if (typeof io === 'object') io.destroy()
}

function isPipeEnd(io: unknown): io is PipeEnd {
  return typeof io === 'object' && io !== null && 'descriptor' in io
}

/** Some failures to start are thrown here, others come later as an event. */
function attempt(spec: ChildSpec, start: () => ChildProcess): ChildProcess {
  try {
    return start()
  } catch (error) {
    throw notStarted(spec.failure ?? 'dump-failed', spec.name, error)
  }
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, nice)
  } catch {
    // It has ended already, or this user may not raise priorities: neither is worth a failed backup.
  }
}

function supervise(spec: ChildSpec, running: ChildProcess, io: ChildIo, ctx: RunContext): Child {
  const ended = new AbortController()
  const group = running.pid
  let killed: { readonly reason: unknown } | undefined
  const send = (signal: NodeJS.Signals): void => {
    if (group !== undefined) signalGroup(group, signal)
  }

  const kill = (reason: unknown = wasKilled(spec)): void => {
    if (killed !== undefined || ended.signal.aborted) return
    killed = { reason }
    send('SIGTERM')
    ctx.clock.sleep(spec.killGraceMs ?? 5_000, ended.signal).then(
      () => send('SIGKILL'),
      () => {}, // it went by itself
    )
  }
  const onLine = (line: string): void => {
    try {
      spec.onStderrLine?.(line)
    } catch (error) {
      kill(error)
    }
  }
  const pipes = serveExtraPipes(running, io.extra ?? [])
  const toKeep = spec.rowValues && rowValueFilter(spec.rowValues)
  const tail = running.stderr ? readLines(running.stderr, onLine, toKeep).tail : () => ''

  async function settle(): Promise<ChildExit> {
    const [code, signal] = await untilExit(spec, running)
    if (killed !== undefined) send('SIGKILL') // what it left behind in its group
    await messagesEnd(running, pipes, ctx)
    const exit: ChildExit = { code, signal, stderrTail: tail() }
    if (killed !== undefined) throw killed.reason
    const error = spec.classify?.(exit) ?? failureOf(spec, exit)
    if (error !== undefined) throw error
    return exit
  }

  const onAbort = (): void => kill(ctx.signal.reason)
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  const forget = group === undefined ? () => {} : killOnExit(group)
  const done = settle().finally(() => {
    ended.abort()
    ctx.signal.removeEventListener('abort', onAbort)
    forget()
  })
  done.catch(() => {})

  // When a child ends, Node reads what nobody has begun to read, and throws it away; but not with such a listener.
  running.stdout?.on('readable', keepUnread)
  // A write to a child that is gone fails here as well as where it is awaited; here it says nothing new.
  running.stdin?.on('error', () => {})
  const waitsForUs = io.waitsForUs ?? (() => (running.stdout?.readableLength ?? 0) > 0)
  const touch =
    group === undefined
      ? () => {}
      : watchChild({ name: spec.name, pid: group, waitsForUs, ended: ended.signal }, spec, ctx.clock, kill)
  return {
    name: spec.name,
    pid: running.pid,
    ...(running.stdin ? { stdin: running.stdin } : {}),
    ...(running.stdout ? { stdout: running.stdout } : {}),
    done,
    kill,
    touch,
  }
}

/** To be taken off the standard output of a child by whoever reads it. */
export function keepUnread(): void {}

async function untilExit(
  spec: ChildSpec,
  running: ChildProcess,
): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  try {
    return (await once(running, 'exit')) as [number | null, NodeJS.Signals | null]
  } catch (error) {
    throw notStarted(spec.failure ?? 'dump-failed', spec.name, error)
  }
}

/** The end of what it says, or a second: a stranger that inherited a descriptor must not hold up the run. */
async function messagesEnd(
  { stderr }: ChildProcess,
  pipes: ReturnType<typeof serveExtraPipes>,
  ctx: RunContext,
): Promise<void> {
  const waiting = new AbortController()
  const { signal } = waiting
  const closed = !stderr || stderr.closed ? undefined : once(stderr, 'close', { signal }).catch(() => {})
  await Promise.race([Promise.all([closed, pipes.end(signal)]), ctx.clock.sleep(1_000, signal).catch(() => {})])
  waiting.abort()
  stderr?.destroy()
}

function failureOf(spec: ChildSpec, exit: ChildExit): BackupError | undefined {
  if (exit.code !== null && (spec.okExitCodes ?? [0]).includes(exit.code)) return undefined
  const how = exit.code === null ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`
  return new BackupError(spec.failure ?? 'dump-failed', {
    message: `${spec.name} ${how}${exit.stderrTail === '' ? '' : `: ${exit.stderrTail}`}`,
    ...(exit.signal === 'SIGKILL' ? { hint: 'The system may have run out of memory; see its log.' } : {}),
    retryable: wasEndedByOthers(exit),
  })
}

/** By the system or by somebody, as against by a fault of its own. */
export function wasEndedByOthers({ signal }: Pick<ChildExit, 'signal'>): boolean {
  return signal === 'SIGKILL' || signal === 'SIGTERM'
}

function wasKilled(spec: ChildSpec): BackupError {
  return new BackupError('aborted', { message: `${spec.name} was stopped before its end` })
}

function toolMissing(spec: ChildSpec): BackupError {
  return new BackupError('tool-missing', {
    message: `${spec.name} was not found at ${spec.command}`,
    hint: `Install the package that holds ${basename(spec.command)}, or say where it is.`,
  })
}
