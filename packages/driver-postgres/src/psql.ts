import { randomBytes } from 'node:crypto'
import { askProgram, BackupError, type ByteStream, startChild, writeToChild } from '@holdfast/core'
import type { Connection } from './connection.js'
import { prepareProgram } from './programs.js'
import { noteTool, type RestoreJob, type TargetServer } from './restore-job.js'
import { chooseTool, type Tool } from './tools.js'

/** Where a script runs. */
export interface ScriptTarget {
  /** Of the database. */
  readonly connection: Connection
  readonly server: TargetServer
  readonly singleTransaction: boolean
}

/**
 * Runs a script with `psql`, which stops at the first error. It runs under `\restrict` with a key that the script
 * cannot know: whatever the script holds, psql runs no command for itself.
 *
 * @throws {BackupError} `tool-too-old` when psql cannot be restricted; `restore-failed`; what the script throws.
 */
export async function runPsql(job: RestoreJob, target: ScriptTarget, script: ByteStream): Promise<void> {
  const { connection, server, singleTransaction } = target
  const tool = noteTool(job, await requirePsql(server.major, job.settings.binDir))
  const args = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--file=-']
  await using program = await prepareProgram(
    { tool, args, failure: 'restore-failed', connection, endpoint: server.endpoint },
    job.settings,
    job.ctx,
  )
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'ignore' }, job.ctx)
  await writeToChild(child, restricted(singleTransaction ? inTransaction(script) : script))
  job.warnings.push(...program.messages.warnings)
}

/**
 * The transaction ends where the script does, by a word of ours. `--single-transaction` would commit whatever has come
 * at the end of input, which is also what psql sees when this process is killed.
 */
async function* inTransaction(script: ByteStream): AsyncGenerator<Uint8Array> {
  yield Buffer.from('BEGIN;\n')
  yield* script
  yield Buffer.from('\nCOMMIT;\n')
}

async function* restricted(script: ByteStream): AsyncGenerator<Uint8Array> {
  const key = randomBytes(24).toString('hex')
  yield Buffer.from(`\\restrict ${key}\n`)
  yield* script
  yield Buffer.from(`\n\\unrestrict ${key}\n`)
}

/**
 * The psql for a server, which must be one that can be restricted.
 *
 * @throws {BackupError} `tool-missing`, `tool-too-old`.
 */
export async function requirePsql(serverMajor: number, binDir: string | undefined): Promise<Tool> {
  const tool = await chooseTool('psql', serverMajor, binDir, `a PostgreSQL ${serverMajor} server`)
  if (!(await knowsRestrict(tool))) throw cannotBeRestricted(tool)
  return tool
}

const answers = new Map<string, Promise<boolean>>()

/** Patch levels before August 2025 lack `\restrict`; the help of psql tells. */
export function knowsRestrict(tool: Tool): Promise<boolean> {
  const key = `${tool.path} ${tool.version}`
  const answer =
    answers.get(key) ??
    askProgram(tool.path, ['--no-psqlrc', '--help=commands'], {}).then((says) => says?.includes('\\restrict') ?? false)
  answers.set(key, answer)
  answer.catch(() => answers.delete(key)) // that it could not be asked says nothing about it
  return answer
}

function cannotBeRestricted(tool: Tool): BackupError {
  return new BackupError('tool-too-old', {
    message: `psql ${tool.version} cannot be kept from running commands that a dump may hold (CVE-2025-8714)`,
    hint: 'Update the client programs: 13.22, 14.19, 15.14, 16.10, 17.6 and newer can. If you trust the dump, restore it by hand as its manifest says.',
  })
}
