import {
  checkIdentity,
  createRunContext,
  identityKey,
  isBackupError,
  messageOf,
  named,
  type RunContext,
  type Storage,
} from '@holdfast/core'
import { type StorageCase, storageCasePrefix, storageContract } from '@holdfast/core/testing'
import type { Cli } from '../cli.js'
import { catalogFor } from '../configuration/open-holdfast.js'
import { chooseStorages, loggerTo, readSetup } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { formatDuration } from '../output/format-duration.js'
import { directoriesToMake } from './made-directories.js'

/** Options of `holdfast storage check`. */
export interface StorageCheckOptions {
  readonly heavy?: boolean
}

interface CaseResult {
  readonly name: string
  readonly status: 'kept' | 'broken' | 'not kept'
  readonly durationMs: number
  readonly problem?: string
}

/**
 * Runs the storage contract against a storage. Every case removes what it wrote.
 *
 * @throws {BackupError} `storage-full` at the first case that finds no room: nothing can be said of those after it.
 */
export async function storageCheckCommand(
  cli: Cli,
  args: readonly string[],
  { heavy = false }: StorageCheckOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const setup = await readSetup(cli, args)
  const storages = await chooseStorages(args, setup, cli)
  const [storage] = Object.entries(storages).map(([name, unnamed]) => named(unnamed, name))
  if (!storage) return exitCodes.noMatch
  const ctx = createRunContext({ signal, log: loggerTo(cli) })
  const cases = storageContract.filter((each) => !each.simulate && (heavy || !each.heavy))
  output.note(`${cases.length} promises that ${storage.display} has to keep:`)
  const results: CaseResult[] = []
  using _made = directoriesToMake(storage) // a path that was mistyped is not to be there afterwards
  try {
    await checkIdentity(storage, catalogFor(setup, storages, cli), ctx)
    if (!(await isInUse(storage, ctx))) output.note('No backup was ever written here: is it the place that was meant?')
    for (const each of cases) results.push(await check(each, storage, ctx, cli))
  } finally {
    await storage.close?.()
  }
  const broken = results.filter(({ status }) => status === 'broken').length
  output.document({ status: broken === 0 ? 'kept' : 'broken', storage: storage.display, cases: results })
  output.result(
    broken === 0
      ? output.paint.good('Every promise is kept')
      : output.paint.bad(`${broken} of ${results.length} promises are broken`),
  )
  return broken === 0 ? exitCodes.done : exitCodes.storage
}

/**
 * Whether backups were written here. A directory that is mistyped is made, and keeps every promise.
 *
 * @throws What the storage throws: one that cannot be used at all says so once, not once a case.
 */
async function isInUse(storage: Storage, ctx: RunContext): Promise<boolean> {
  return (await storage.stat(identityKey, ctx)) !== undefined
}

async function check(each: StorageCase, storage: Storage, ctx: RunContext, { output }: Cli): Promise<CaseResult> {
  const { paint } = output
  const started = performance.now()
  try {
    await each.run({ storage, prefix: storageCasePrefix(), ctx })
    const durationMs = performance.now() - started
    output.result(`${paint.good('kept')}    ${each.name} ${paint.faint(`(${formatDuration(durationMs)})`)}`)
    return { name: each.name, status: 'kept', durationMs }
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (isBackupError(error, 'storage-full')) throw error
    const problem = isBackupError(error) ? `${error.message} (${error.code})` : messageOf(error)
    const status = each.advisory ? 'not kept' : 'broken'
    const mark = each.advisory ? paint.warning('not kept, and can be lived without:') : paint.bad('BROKEN')
    output.result(`${mark}  ${each.name}\n          ${problem.replaceAll('\n', '\n          ')}`)
    return { name: each.name, status, durationMs: performance.now() - started, problem }
  }
}
