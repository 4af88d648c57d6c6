import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BackupError,
  childOutput,
  type DumpPart,
  type DumpReport,
  type DumpRequest,
  type DumpSession,
  type PrivateFile,
  privateDirectory,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { requireRoom } from './database-files.js'
import { lookAt } from './probe.js'
import type { Look } from './program/look.js'
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
  return session(path, directory, source, request, ctx)
}

function session(
  path: string,
  directory: PrivateFile,
  source: Look,
  { inventory: level = 'none', onWarning }: DumpRequest,
  ctx: RunContext,
): DumpSession {
  const copy = join(directory.path, 'copy.sqlite')
  const warnings: string[] = []
  const report: DumpReport = {
    serverVersion: source.version,
    tools: { sqlite: source.version },
    warnings,
    options: { journalMode: source.journalMode },
    recover: 'cat > TARGET.db',
  }
  const ended = new AbortController()
  const inner = { ...ctx, signal: AbortSignal.any([ctx.signal, ended.signal]) }
  const warn = (message: string): void => {
    if (onWarning === 'fail') throw new BackupError('dump-failed', { message })
    warnings.push(message)
  }
  const spec = taskSpec('dump', [path, copy], { failure: 'dump-failed', onWarning: warn }, inner)
  const output = childOutput(spec, inner)
  const done = output.done.then(() => report)
  done.catch(() => {}) // whoever awaits it sees it
  let taken = false
  async function* parts(): AsyncGenerator<DumpPart> {
    const take: DumpPart['take'] = () => {
      if (taken) throw new BackupError('internal', { message: 'The part sqlite was taken twice' })
      taken = true
      return { kind: 'process', output }
    }
    yield { name: 'sqlite', mediaType: 'application/vnd.sqlite3', expectedBytes: source.sizeBytes, take }
  }

  return {
    parts: parts(),
    done,
    ...(level !== 'none' && {
      inventory: async () => ({ level, exact: true, tables: await runTask('inventory', [copy, level], ctx) }),
    }),
    async [Symbol.asyncDispose]() {
      ended.abort(new BackupError('aborted', { message: 'The dump was given up before its end' }))
      await done.catch(() => {})
      await directory[Symbol.asyncDispose]()
    },
  }
}

function refuseSelection({ sections = 'all', tables = [], excludeTables = [], format }: DumpRequest): void {
  if (sections === 'all' && tables.length === 0 && excludeTables.length === 0 && format === undefined) return
  throw new BackupError('config-invalid', {
    message: 'A SQLite database is dumped as a whole, in one format',
    hint: 'Leave out tables, excludeTables, sections and format.',
  })
}
