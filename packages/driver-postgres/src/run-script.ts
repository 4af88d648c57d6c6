import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { type ByteStream, startChild, writeToChild } from '@holdfast/core'
import { toDatabase } from './connection.js'
import type { Filling } from './filling.js'
import { prepareProgram } from './programs.js'
import { noteTool } from './restore-job.js'
import { filterScript } from './script-filter.js'
import { scriptFilter } from './script-rules.js'
import { withSession } from './session.js'
import { chooseTool, type Tool } from './tools.js'

/**
 * Runs a script of pg_dump with `psql`, which stops at the first error. Commands for psql itself are refused twice:
 * by our filter, and by psql under `\restrict` with a key that the script cannot know, where psql has that.
 */
export async function runScript(
  filling: Filling,
  script: ByteStream,
  { filterSettings }: { readonly filterSettings: boolean },
): Promise<void> {
  const { job, target, connection, singleTransaction } = filling
  const needs = `a PostgreSQL ${target.major} server`
  const tool = noteTool(job, await chooseTool('psql', target.major, job.settings.binDir, needs))
  const knownSettings = filterSettings ? await settingsOf(filling) : undefined
  const filter = scriptFilter({
    ...(knownSettings ? { knownSettings } : {}),
    noOwner: job.request.noOwner ?? false,
    noPrivileges: job.request.noPrivileges ?? false,
    inTransaction: singleTransaction,
  })
  const args = [
    ...['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1'],
    ...(singleTransaction ? ['--single-transaction'] : []),
    '--file=-', // named, because a single transaction is only made around named files
  ]
  await using program = await prepareProgram(
    { tool, args, failure: 'restore-failed', connection, endpoint: target.endpoint },
    job.settings,
    job.ctx,
  )
  const guarded = (await knowsRestrict(tool)) ? restricted(filterScript(script, filter)) : filterScript(script, filter)
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'ignore' }, job.ctx)
  await writeToChild(child, guarded)
  job.warnings.push(...program.messages.warnings)
}

async function* restricted(script: ByteStream): AsyncGenerator<Uint8Array> {
  const key = randomBytes(24).toString('hex')
  yield Buffer.from(`\\restrict ${key}\n`)
  yield* script
  yield Buffer.from(`\n\\unrestrict ${key}\n`)
}

const knows = new Map<string, Promise<boolean>>()

/** Older patch levels lack `\restrict`; the help of psql tells. */
function knowsRestrict(tool: Tool): Promise<boolean> {
  const key = `${tool.path} ${tool.version}`
  const answer =
    knows.get(key) ??
    promisify(execFile)(tool.path, ['--no-psqlrc', '--help=commands'], { env: {} }).then(
      ({ stdout }) => stdout.includes('\\restrict'),
      () => false,
    )
  knows.set(key, answer)
  return answer
}

async function settingsOf({ connection, target, job }: Filling): Promise<ReadonlySet<string>> {
  const pinned = { ...toDatabase(connection, connection.database), endpoints: [target.endpoint] as const }
  const rows = await withSession(pinned, job.ctx, (session) =>
    session.query<{ name: string }>('select lower(name) as name from pg_settings'),
  )
  return new Set(rows.map(({ name }) => name))
}
