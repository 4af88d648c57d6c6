import {
  type ByteStream,
  endAfter,
  type PrivateFile,
  privateFile,
  readFromChild,
  spooledFile,
  startChild,
  writeToChild,
} from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { holdBack, readThrough } from './dump-streams.js'
import type { Filling } from './filling.js'
import { needsFilter } from './needs-psql.js'
import { prepareProgram } from './programs.js'
import { noteTool } from './restore-job.js'
import { runScript } from './run-script.js'
import { chooseTool, type Tool } from './tools.js'

/**
 * Restores a custom-format archive into the database of the filling: streamed into `pg_restore`, or from a spooled
 * file with several connections; through a filter and `psql` where some statements must not reach the server.
 */
export async function fillFromArchive(filling: Filling): Promise<void> {
  const { job, target } = filling
  const needs = `a dump of PostgreSQL ${job.dumpMajor} for a PostgreSQL ${target.major} server`
  const atLeast = Math.max(job.dumpMajor, target.major)
  const tool = noteTool(job, await chooseTool('pg_restore', atLeast, job.settings.binDir, needs))
  await using list = filling.entries ? await writeList(filling.entries) : undefined
  if (needsScript(filling)) return await viaScript(filling, tool, list)
  if (filling.singleTransaction && !readsToTheEnd(filling)) await readThrough(openDump(filling))
  if (filling.jobs > 1) return await fromSpool(filling, tool, list)
  await streamed(filling, tool, list)
}

/**
 * Whether statements must be left out: settings and versions of columns that an older server does not know, drops that
 * cannot succeed.
 */
function needsScript({ target, job, inherited }: Filling): boolean {
  return (inherited?.size ?? 0) > 0 || needsFilter(job, target)
}

/** What `pg_restore --use-list` reads: the ids of entries in the order of the archive. */
async function writeList(entries: readonly ArchiveEntry[]): Promise<PrivateFile> {
  return await privateFile('entries.list', entries.map(({ id }) => `${id};\n`).join(''))
}

/**
 * Whether pg_restore needs the archive's last byte to finish. Otherwise it commits when it has what it wants, and
 * damage further on would be found too late.
 */
function readsToTheEnd({ job, entries }: Filling): boolean {
  if (job.request.sections === 'schema') return false
  const last = job.head?.entries.findLast(({ hasData }) => hasData)
  return last !== undefined && (entries === undefined || entries.includes(last))
}

function openDump({ job }: Filling): ByteStream {
  return job.from.open(job.dump.part.name, job.ctx)
}

async function streamed(filling: Filling, tool: Tool, list: PrivateFile | undefined): Promise<void> {
  const { job } = filling
  await using program = await prepare(filling, tool, ['--dbname=', ...restoreArguments(filling, list)])
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'ignore' }, job.ctx)
  const source = openDump(filling)
  await writeToChild(child, filling.singleTransaction ? holdBack(source) : source)
  job.warnings.push(...program.messages.warnings)
}

async function fromSpool(filling: Filling, tool: Tool, list: PrivateFile | undefined): Promise<void> {
  const { job } = filling
  await using archive = await spooledFile('dump', openDump(filling), job.ctx)
  const args = ['--dbname=', `--jobs=${filling.jobs}`, ...restoreArguments(filling, list), archive.path]
  await using program = await prepare(filling, tool, args)
  await startChild(program.spec, { stdin: 'ignore', stdout: 'ignore' }, job.ctx).done
  job.warnings.push(...program.messages.warnings)
}

/** `pg_restore` writes a script, a filter leaves out what cannot succeed on this server, `psql` runs the rest. */
async function viaScript(filling: Filling, tool: Tool, list: PrivateFile | undefined): Promise<void> {
  const { job } = filling
  await using program = await prepare(filling, tool, ['--file=-', ...restoreArguments(filling, list)], 'offline')
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'pipe' }, job.ctx)
  const feeding = writeToChild(child, openDump(filling))
  feeding.catch(() => {}) // it may fail before the script is read, which is where it is seen
  try {
    // The script has ended only when the archive has, whole: psql commits at the end of its input.
    await runScript(filling, endAfter(readFromChild(child), feeding), {
      filterSettings: filling.target.major < job.dumpMajor,
    })
  } finally {
    child.kill()
    await feeding.catch(() => {})
  }
  job.warnings.push(...program.messages.warnings)
}

function prepare(filling: Filling, tool: Tool, args: readonly string[], mode: 'online' | 'offline' = 'online') {
  const { connection, target, job } = filling
  const where = mode === 'online' ? { connection, endpoint: target.endpoint } : {}
  return prepareProgram({ tool, args, failure: 'restore-failed', ...where }, job.settings, job.ctx)
}

function restoreArguments(filling: Filling, list: PrivateFile | undefined): readonly string[] {
  const { job, target } = filling
  const { request } = job
  const offline = needsScript(filling)
  const flags: readonly (readonly [wanted: boolean | undefined, flag: string])[] = [
    [!offline, '--no-password'],
    [!offline, '--exit-on-error'],
    [filling.singleTransaction && !offline, '--single-transaction'],
    [filling.clean, '--clean'],
    [filling.clean, '--if-exists'],
    [request.sections === 'schema', '--schema-only'],
    [request.sections === 'data', '--data-only'],
    // Rows come in the order of the archive, which foreign keys need not like.
    [request.sections === 'data' && target.superuser, '--disable-triggers'],
    [request.noOwner, '--no-owner'],
    [request.noPrivileges, '--no-privileges'],
    [filling.noTablespaces, '--no-tablespaces'],
  ]
  return [...flags.flatMap(([wanted, flag]) => (wanted ? [flag] : [])), ...(list ? [`--use-list=${list.path}`] : [])]
}
