import { type BackupErrorCode, type ChildSpec, judgeProgram, type PrivateFile, type RunContext } from '@holdfast/core'
import { type Connection, type Endpoint, libpqEnvironment } from './connection.js'
import { programMeaning } from './errors.js'
import { collectMessages, type Messages } from './messages.js'
import type { PostgresSettings } from './options.js'
import { writePassfile } from './passfile.js'
import { rowValues } from './row-values.js'
import type { Tool } from './tools.js'

const defaultIdleTimeoutMs = 30 * 60_000
/** Milliseconds to wait for a lock on a table, unless `lockTimeout` says otherwise. */
export const defaultLockTimeoutMs = 60_000

/** A client program that can be started: its environment says where to connect, a private file with which password. */
export interface Program extends AsyncDisposable {
  readonly spec: ChildSpec
  readonly messages: Messages
}

/** What to run. */
export interface ProgramRequest {
  readonly tool: Tool
  readonly args: readonly string[]
  readonly failure: BackupErrorCode
  /** Absent for a program that needs no server. */
  readonly connection?: Connection
  readonly endpoint?: Endpoint
  readonly onWarning?: 'complete' | 'fail' | undefined
}

/** Sets up a program. Disposing removes its passfile, once it has ended. */
export async function prepareProgram(
  { tool, args, failure, connection, endpoint, onWarning }: ProgramRequest,
  settings: PostgresSettings,
  ctx: RunContext,
): Promise<Program> {
  const passfile = connection?.password ? await writePassfile(connection.password) : undefined
  const messages = collectMessages(tool.name, ctx)
  const { name } = tool
  const { warnings } = messages
  const judged = { name, failure, warnings, onWarning, meaningOf: (stderr: string) => programMeaning(stderr, failure) }
  return {
    messages,
    spec: {
      name: tool.name,
      command: tool.path,
      args,
      env: environment(connection, endpoint, passfile),
      failure,
      rowValues,
      largeBuffers: true,
      nice: settings.nice,
      idleTimeoutMs: dumps(tool) ? (settings.idleTimeout ?? defaultIdleTimeoutMs) : undefined,
      totalTimeoutMs: settings.totalTimeout,
      onStderrLine: messages.onLine,
      classify: (exit) => judgeProgram(exit, judged),
    },
    [Symbol.asyncDispose]: async () => await passfile?.[Symbol.asyncDispose](),
  }
}

/**
 * Only what dumps can be judged by the bytes it moves. A restore waits for hours while the server builds an index, and
 * says nothing meanwhile.
 */
const dumps = ({ name }: Tool): boolean => name === 'pg_dump' || name === 'pg_dumpall'

function environment(
  connection: Connection | undefined,
  endpoint: Endpoint | undefined,
  passfile: PrivateFile | undefined,
): Record<string, string> {
  if (!connection) return {}
  const env = libpqEnvironment(connection, endpoint ?? connection.endpoints[0])
  return passfile ? { ...env, PGPASSFILE: passfile.path } : env
}
