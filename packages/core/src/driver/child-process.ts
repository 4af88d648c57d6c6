import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { BackupError } from '../backup-error.js'
import type { RunContext } from '../run-context.js'
import type { Child, ChildExit, ChildIo, ChildSpec } from './child.js'
import { watchChild } from './child-watchdog.js'
import { killOnExit } from './die-with-parent.js'
import { serveExtraPipes } from './extra-pipes.js'
import { isProgram } from './find-program.js'
import { createGroupKiller, type GroupKiller } from './group-killer.js'
import { notStarted } from './not-started.js'
import { rowValueFilter } from './row-values.js'
import { closeHere, spawnGroup } from './spawn-group.js'
import { readLines } from './stderr-lines.js'

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

function supervise(spec: ChildSpec, running: ChildProcess, io: ChildIo, ctx: RunContext): Child {
  const ended = new AbortController()
  const killer = createGroupKiller(spec, running.pid, ended.signal, ctx)
  const pipes = serveExtraPipes(running, io.extra ?? [])
  const tail = readMessages(spec, running, killer)
  const letGo = killWithUs(running.pid, killer, ctx.signal)
  const done = settle(spec, { running, killer, pipes, tail }, ctx).finally(() => {
    ended.abort()
    letGo()
  })
  done.catch(() => {})

  // When a child ends, Node reads what nobody has begun to read, and throws it away; but not with such a listener.
  running.stdout?.on('readable', keepUnread)
  // A write to a child that is gone fails here as well as where it is awaited; here it says nothing new.
  running.stdin?.on('error', () => {})
  return {
    name: spec.name,
    pid: running.pid,
    ...(running.stdin ? { stdin: running.stdin } : {}),
    ...(running.stdout ? { stdout: running.stdout } : {}),
    done,
    kill: killer.kill,
    touch: watch(spec, running, io, { ended: ended.signal, killer }, ctx),
  }
}

/** @returns The last lines of what it has said so far. */
function readMessages(spec: ChildSpec, { stderr }: ChildProcess, killer: GroupKiller): () => string {
  const onLine = (line: string): void => {
    try {
      spec.onStderrLine?.(line)
    } catch (error) {
      killer.kill(error)
    }
  }
  const toKeep = spec.rowValues && rowValueFilter(spec.rowValues)
  return stderr ? readLines(stderr, onLine, toKeep).tail : () => ''
}

/** Kills the child on abort, and when this process exits, until the returned function is called. */
function killWithUs(group: number | undefined, killer: GroupKiller, signal: AbortSignal): () => void {
  const onAbort = (): void => killer.kill(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const forget = group === undefined ? () => {} : killOnExit(group)
  return () => {
    signal.removeEventListener('abort', onAbort)
    forget()
  }
}

type ExtraPipes = ReturnType<typeof serveExtraPipes>

/** A child that was started, with what belongs to it here. */
interface Supervised {
  readonly running: ChildProcess
  readonly killer: GroupKiller
  readonly pipes: ExtraPipes
  tail(): string
}

/** Waits for the end of the child and of what it says, and judges it. */
async function settle(
  spec: ChildSpec,
  { running, killer, pipes, tail }: Supervised,
  ctx: RunContext,
): Promise<ChildExit> {
  const [code, signal] = await untilExit(spec, running)
  if (killer.killed) killer.clear()
  await messagesEnd(running, pipes, ctx)
  const exit: ChildExit = { code, signal, stderrTail: tail() }
  if (killer.killed) throw killer.killed.reason
  const error = spec.classify?.(exit) ?? failureOf(spec, exit)
  if (error !== undefined) throw error
  return exit
}

/** Kills the child when it goes over its limits. The returned function says that it moves. */
function watch(
  spec: ChildSpec,
  { pid, stdout }: ChildProcess,
  io: ChildIo,
  { ended, killer }: { readonly ended: AbortSignal; readonly killer: GroupKiller },
  { clock }: RunContext,
): () => void {
  if (pid === undefined) return () => {}
  const waitsForUs = io.waitsForUs ?? (() => (stdout?.readableLength ?? 0) > 0)
  return watchChild({ name: spec.name, pid, waitsForUs, ended }, spec, clock, killer.kill)
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
async function messagesEnd({ stderr }: ChildProcess, pipes: ExtraPipes, ctx: RunContext): Promise<void> {
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

function toolMissing(spec: ChildSpec): BackupError {
  return new BackupError('tool-missing', {
    message: `${spec.name} was not found at ${spec.command}`,
    hint: `Install the package that holds ${basename(spec.command)}, or say where it is.`,
  })
}
