import { fileURLToPath } from 'node:url'
import {
  type BackupErrorCode,
  type ByteStream,
  type ChildExit,
  type ChildSpec,
  type RunContext,
  readAll,
  readFromChild,
  startChild,
} from '@holdfast/core'
import { errorOf } from './errors.js'
import type { Tasks } from './program/main.js'
import type { Word } from './program/words.js'

type Name = keyof Tasks
type Arguments<Task extends Name> = Parameters<Tasks[Task]>
type Result<Task extends Name> = Awaited<ReturnType<Tasks[Task]>>

/** What is different from task to task. */
export interface TaskOptions {
  /** Code of the error where SQLite's own says nothing better. Default `source-unreachable`. */
  readonly failure?: BackupErrorCode
  /** Whether the task writes into the database: then a lock of others means that the target is in use. */
  readonly writes?: boolean
  /** The file that an error is about. Default: the first argument. */
  readonly about?: string
  /** Receives what is worth a line in the manifest. Default: the log. */
  onWarning?(message: string): void
}

/** Beside this file, built or not: Node runs TypeScript as it stands. */
const program = fileURLToPath(new URL(`./program/main${import.meta.url.slice(-3)}`, import.meta.url))

/** The program for one task, as core starts programs: killed on abort, and dead with its parent. */
export function taskSpec<Task extends Name>(
  name: Task,
  args: Arguments<Task>,
  { failure = 'source-unreachable', writes = false, about = String(args[0]), onWarning }: TaskOptions,
  ctx: RunContext,
): ChildSpec {
  let failed: Extract<Word, { kind: 'failure' }> | undefined
  return {
    name: 'the SQLite program',
    command: process.execPath,
    args: ['--no-warnings', program],
    // Not as an argument, which every user of the host can read: a statement may hold what is private.
    env: { HOLDFAST_SQLITE_TASK: JSON.stringify([name, ...args]) },
    failure,
    onStderrLine(line) {
      const word = wordOf(line)
      if (word?.kind === 'failure') failed = word
      else if (word?.kind === 'note') ctx.log.info(word.message)
      else if (word && onWarning) onWarning(word.message)
      else ctx.log.warn(word?.message ?? line)
    },
    classify: ({ code }: ChildExit) => (code !== 0 && failed ? errorOf(failed, about, { failure, writes }) : undefined),
  }
}

/**
 * Runs a task and returns its result.
 *
 * @throws {BackupError} what SQLite's error means; see {@link errorOf}.
 */
export async function runTask<Task extends Name>(
  name: Task,
  args: Arguments<Task>,
  ctx: RunContext,
  options: TaskOptions = {},
): Promise<Result<Task>> {
  const text = (await readAll(streamTask(name, args, ctx, options))).toString()
  return (text === '' ? undefined : JSON.parse(text)) as Result<Task>
}

/** Runs a task and yields what it writes. */
export function streamTask<Task extends Name>(
  name: Task,
  args: Arguments<Task>,
  ctx: RunContext,
  options: TaskOptions = {},
): ByteStream {
  return readFromChild(startChild(taskSpec(name, args, options, ctx), { stdin: 'ignore', stdout: 'pipe' }, ctx))
}

function wordOf(line: string): Word | undefined {
  try {
    return JSON.parse(line) as Word
  } catch {
    return undefined // Node itself
  }
}
