import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BackupError,
  type DumpRequest,
  type DumpSession,
  type PrivateFile,
  type ProgramPart,
  privateDirectory,
  programDump,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { requireRoom } from './database-files.js'
import { type FoundFile, lookAt, nameWarnings } from './probe.js'
import { runTask, taskSpec } from './run-task.js'

/**
 * {@link Driver.dump} for SQLite. The backup API writes a file, so the dump is a copy in a private directory, which is
 * checked before its first byte is given away, and counted afterwards.
 */
export async function dump(
  { path, tempDir = tmpdir() }: BoundDatabase,
  request: DumpRequest,
  ctx: RunContext,
): Promise<DumpSession> {
  refuseSelection(request)
  const source = await lookAt(path, ctx)
  if (!source) throw new BackupError('source-missing', { message: `There is no database file ${path}` })
  await requireRoom(tempDir, source.sizeBytes)
  const directory = await privateDirectory(tempDir)
  return dumpInto(directory, path, source, request, ctx)
}

function dumpInto(
  directory: PrivateFile,
  path: string,
  source: FoundFile,
  { inventory: level = 'none', onWarning }: DumpRequest,
  ctx: RunContext,
): DumpSession {
  const copy = join(directory.path, 'copy.sqlite')
  const warnings: string[] = []
  const warn = (message: string): void => {
    if (onWarning === 'fail') throw new BackupError('dump-failed', { message })
    warnings.push(message)
  }
  const part: ProgramPart = {
    part: { name: 'sqlite', mediaType: 'application/vnd.sqlite3', expectedBytes: source.sizeBytes },
    async prepare(inner) {
      for (const message of nameWarnings(path, source)) warn(message)
      return {
        spec: taskSpec('dump', [path, copy], { failure: 'dump-failed', onWarning: warn }, inner),
        messages: { warnings },
        async [Symbol.asyncDispose]() {}, // the copy is counted afterwards, and goes with its directory
      }
    },
  }
  return programDump(
    {
      parts: [part],
      report: (warned) => ({
        serverVersion: source.version,
        tools: { sqlite: source.version },
        warnings: warned,
        options: { journalMode: source.journalMode },
        recover: 'cat > TARGET.db',
      }),
      inventory:
        level === 'none'
          ? undefined
          : async () => ({ level, exact: true, tables: await runTask('inventory', [copy, level], ctx) }),
      close: async () => await directory[Symbol.asyncDispose](),
    },
    ctx,
  )
}

function refuseSelection({ sections = 'all', tables = [], excludeTables = [], format }: DumpRequest): void {
  if (sections === 'all' && tables.length === 0 && excludeTables.length === 0 && format === undefined) return
  throw new BackupError('config-invalid', {
    message: 'A SQLite database is dumped as a whole, in one format',
    hint: 'Leave out tables, excludeTables, sections and format.',
  })
}
