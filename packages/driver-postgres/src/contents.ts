import {
  BackupError,
  type ByteStream,
  type ChildExit,
  type ChildSpec,
  type ObjectName,
  type PartFormat,
  type RestoreSource,
  type RunContext,
  requireTrailer,
  startChild,
  writeToChild,
} from '@holdfast/core'
import { readArchiveHead } from './archive.js'
import { readThrough } from './dump-streams.js'
import { dataKinds, headKinds, remarkKinds } from './entry-kinds.js'
import type { PostgresSettings } from './options.js'
import { objectsOfPlain } from './plain-objects.js'
import { prepareProgram } from './programs.js'
import { dumpOf } from './restore-job.js'
import { newestTool, type Tool } from './tools.js'

/** {@link Driver.contents} for PostgreSQL. */
export async function contents(from: RestoreSource, ctx: RunContext): Promise<readonly ObjectName[]> {
  const { part, format } = dumpOf(from)
  const stream = from.open(part.name, ctx)
  const objects = format === 'custom' ? (await readArchiveHead(stream)).entries : await objectsOfPlain(stream, 'all')
  return objects
    .filter(({ kind }) => !headKinds.has(kind) && !dataKinds.has(kind) && !remarkKinds.has(kind))
    .map(({ kind, schema, tag }) => ({ kind: kind.toLowerCase(), ...(schema ? { schema } : {}), name: tag }))
}

/** {@link Driver.check} for PostgreSQL: reads a dump to its end. */
export async function check(
  part: PartFormat,
  body: ByteStream,
  settings: PostgresSettings,
  ctx: RunContext,
): Promise<void> {
  if (part.name !== 'dump') return await readThrough(part.trailer ? requireTrailer(body, part.trailer) : body)
  const tool = await newestTool('pg_restore', settings.binDir, 'checking a dump')
  // To a file rather than to nowhere: without data to write out, pg_restore would not read them.
  const args = ['--file=/dev/null', '--format=custom']
  await using program = await prepareProgram({ tool, args, failure: 'internal' }, settings, ctx)
  const spec: ChildSpec = { ...program.spec, classify: (exit) => judge(exit, tool) }
  await writeToChild(startChild(spec, { stdin: 'pipe', stdout: 'ignore' }, ctx), body)
}

/**
 * Only what pg_restore says about the archive speaks against the archive. That it was killed, or could not run, says
 * nothing about it, and must not condemn a good backup.
 */
function judge({ code, stderrTail }: ChildExit, tool: Tool): BackupError | undefined {
  if (code === 0) return undefined
  if (code === 126 || code === 127) {
    return new BackupError('tool-missing', {
      message: `${tool.path} does not run: ${stderrTail}`,
      hint: 'Install the client programs of PostgreSQL anew, with the libraries that they need.',
    })
  }
  if (/unsupported version/.test(stderrTail)) {
    return new BackupError('tool-too-old', {
      message: `pg_restore ${tool.version} cannot read this dump, which a newer pg_dump wrote`,
      hint: 'Install the client programs of the version that made the dump, or set binDir (--bin-dir) to where they are.',
    })
  }
  const ofArchive = code === 1 && /^pg_restore: (error: |\[.*archiver.*\])/m.test(stderrTail)
  if (!ofArchive || /out of memory|does not support|could not (write|open|create)/.test(stderrTail)) return undefined
  return new BackupError('corrupt', { message: `pg_restore ended with exit code ${code}: ${stderrTail}` })
}
