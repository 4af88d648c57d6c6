import {
  BackupError,
  type ByteStream,
  isBackupError,
  type ManifestPart,
  type ObjectName,
  type RestoreSource,
  type RunContext,
  startChild,
  writeToChild,
} from '@holdfast/core'
import { readArchiveHead } from './archive.js'
import { readThrough, requireTrailer } from './dump-streams.js'
import { dataKinds, headKinds, remarkKinds } from './entry-kinds.js'
import type { PostgresSettings } from './options.js'
import { objectsOfPlain } from './plain-objects.js'
import { prepareProgram } from './programs.js'
import { dumpOf } from './restore-job.js'
import { newestTool } from './tools.js'

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
  part: ManifestPart,
  body: ByteStream,
  settings: PostgresSettings,
  ctx: RunContext,
): Promise<void> {
  if (part.name !== 'dump') return await readThrough(part.trailer ? requireTrailer(body, part.trailer) : body)
  const tool = await newestTool('pg_restore', settings.binDir, 'checking a dump')
  // To a file rather than to nowhere: without data to write out, pg_restore would not read them.
  const args = ['--file=/dev/null', '--format=custom']
  await using program = await prepareProgram({ tool, args, failure: 'corrupt' }, settings, ctx)
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'ignore' }, ctx)
  try {
    await writeToChild(child, body)
  } catch (error) {
    if (!isBackupError(error, 'corrupt') || !/unsupported version/.test(error.message)) throw error
    throw new BackupError('tool-too-old', {
      message: `pg_restore ${tool.version} cannot read this dump, which a newer pg_dump wrote`,
      hint: 'Install the client programs of the version that made the dump, or set binDir to where they are.',
      cause: error,
    })
  }
}
