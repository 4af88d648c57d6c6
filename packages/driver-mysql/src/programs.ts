import {
  type ChildSpec,
  type ErrorMeaning,
  judgeProgram,
  type PrivateFile,
  privateFile,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { optionFile } from './connection.js'
import { programMeaning } from './errors.js'
import { collectMessages, lastWords, type Messages } from './messages.js'
import { rowValues } from './row-values.js'
import type { Tool } from './tools.js'

const defaultIdleTimeoutMs = 30 * 60_000

/** A client program that can be started: a private file says where to connect, and with which password. */
export interface Program extends AsyncDisposable {
  readonly spec: ChildSpec
  readonly messages: Messages
}

/** What to run. */
export interface ProgramRequest {
  readonly tool: Tool
  readonly args: readonly string[]
  readonly failure: 'dump-failed' | 'restore-failed'
  readonly onWarning?: 'complete' | 'fail' | undefined
  /** Told of what a program with `--verbose` is about to do, line by line. */
  readonly onStage?: ((line: string) => void) | undefined
}

/** Sets up a program. Disposing removes its option file, once it has ended. */
export async function prepareProgram(
  { tool, args, failure, onWarning, onStage }: ProgramRequest,
  { connection, settings }: BoundDatabase,
  ctx: RunContext,
): Promise<Program> {
  const restores = failure === 'restore-failed'
  const options: PrivateFile = await privateFile('my.cnf', optionFile(connection, tool.flavour === 'mariadb', restores))
  const messages = collectMessages(tool.name, ctx, onStage)
  const { name } = tool
  const { warnings } = messages
  const meaningOf = (words: string): ErrorMeaning | undefined => programMeaning(lastWords(words))
  const judged = { name, failure, warnings, onWarning, meaningOf, shown: lastWords }
  return {
    messages,
    spec: {
      name,
      command: tool.path,
      args: [`--defaults-file=${options.path}`, ...args],
      failure,
      rowValues,
      largeBuffers: true,
      nice: settings.nice,
      // Only dumps can be judged by the bytes they move: a restore waits while the server builds an index.
      idleTimeoutMs: restores ? undefined : (settings.idleTimeout ?? defaultIdleTimeoutMs),
      totalTimeoutMs: settings.totalTimeout,
      onStderrLine: messages.onLine,
      classify: (exit) => judgeProgram(exit, judged),
    },
    [Symbol.asyncDispose]: () => options[Symbol.asyncDispose](),
  }
}
