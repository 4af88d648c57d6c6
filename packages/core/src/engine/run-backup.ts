import { BackupError } from '../backup-error.js'
import type { RunStatus } from '../catalog/catalog.js'
import type { DumpReport } from '../driver/driver.js'
import type { CopyOutcome, WrittenData } from '../layout/layout.js'
import { type BackupType, formatVersion, type Inventory, type Manifest } from '../layout/manifest.js'
import { baseKey, manifestKey, safeName } from '../layout/object-names.js'
import { recoverLine } from '../layout/recover-line.js'
import { requireCopies } from '../layout/require-copies.js'
import type { RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Metadata, Storage } from '../storage/storage.js'
import { uuidV7 } from '../uuid-v7.js'
import { holdfastVersion } from '../version.js'
import { commit } from './commit.js'
import { clockWarning, earlierBackups, plainWarning, shrinkWarning } from './earlier-backups.js'
import type { EngineDeps } from './engine-deps.js'
import type { Job } from './job.js'
import { type PreparedStorages, prepareStorages } from './prepare-storages.js'
import { probeSource } from './probe-source.js'
import { recordRun } from './record-run.js'
import { type TidyUp, tidyUp } from './tidy-up.js'

/** What a caller may say about one backup. */
export interface BackupRequest {
  readonly type: BackupType
  readonly label?: string
}

/** What a run of a backup came to. */
export interface BackupRun extends TidyUp {
  readonly status: Extract<RunStatus, 'complete' | 'complete_with_warnings' | 'partial'>
  readonly manifest: Manifest
  readonly base: string
  readonly copies: readonly CopyOutcome[]
  readonly durationMs: number
}

/** Where a run stands between its parts: enough to clean up after it. */
interface Intent {
  readonly id: string
  readonly base: string
  readonly startedAt: Date
  readonly request: BackupRequest
}

/**
 * Backs up a job's database to its storages in one pass.
 *
 * The order is the commit protocol of docs/format.md: leases, data, the dump's own word that it was whole, fence,
 * manifests. Whatever fails before the first manifest leaves nothing behind that could be taken for a backup.
 */
export async function runBackup(
  job: Job,
  request: BackupRequest,
  deps: EngineDeps,
  ctx: RunContext,
): Promise<BackupRun> {
  if (job.source.unusable) throw job.source.unusable
  const startedAt = ctx.clock.now()
  const started = ctx.clock.monotonic()
  const id = uuidV7(startedAt)
  const base = baseKey({ id, job: job.name, database: job.source.database, type: request.type, startedAt })
  const run = { id, kind: 'backup', job: job.name, startedAt } as const
  const make = (): ReturnType<typeof makeBackup> => makeBackup(job, { id, base, startedAt, request }, deps, ctx)
  const made = await recordRun(run, deps.catalog, ctx, make, ({ status }) => status)
  return { ...made, base, durationMs: ctx.clock.monotonic() - started }
}

async function makeBackup(
  job: Job,
  intent: Intent,
  deps: EngineDeps,
  given: RunContext,
): Promise<Omit<BackupRun, 'base' | 'durationMs'>> {
  given.report({ type: 'stage', stage: 'preflight' })
  const probing = probeSource(job, given)
  probing.catch(() => {}) // awaited below; the leases are let go first
  await using prepared = await prepareStorages(job, intent.id, deps.catalog, given)
  await probing
  const ctx = { ...given, signal: AbortSignal.any([given.signal, prepared.lost]) }

  ctx.report({ type: 'stage', stage: 'dump' })
  const listing = earlierBackups(job.name, firstReady(prepared), ctx) // while the dump runs
  const { data, report, inventory } = await dumpTo(prepared.copies, job, intent, deps, ctx)

  ctx.report({ type: 'stage', stage: 'commit' })
  const { usualBytes, newest, isEncrypted } = await listing
  const doubts = [
    shrinkWarning(sizeOf(data), usualBytes),
    clockWarning(intent.startedAt, newest),
    plainWarning(job.cipher === undefined, isEncrypted),
  ]
  const found = doubts.filter((doubt) => doubt !== undefined)
  for (const message of found) ctx.report({ type: 'warning', stage: 'commit', message })
  const warnings = [...report.warnings, ...found]
  const manifest = describe(job, intent, data, { ...report, warnings }, inventory, ctx)
  const copies = await commitOrRemove(manifest, job, intent, data, prepared, ctx)
  requireCopies(copies, job.minCopies)

  const tidied = await tidyUp(job, { copies, isDoubtful: found.length > 0 }, prepared.leases, deps, ctx)
  return { status: statusOf(copies, manifest), manifest, copies, ...tidied }
}

/**
 * Streams the dump to every storage that is ready, and awaits the dump's own word that it was whole. The session ends
 * here: its snapshot must not stay open in a live database while copies are filled in.
 */
async function dumpTo(
  ready: readonly CopyOutcome[],
  job: Job,
  intent: Intent,
  deps: EngineDeps,
  ctx: RunContext,
): Promise<{ data: WrittenData; report: DumpReport; inventory: Inventory | undefined }> {
  await using session = await job.source.dump(job.dump, ctx)
  const { codec, cipher, minCopies, stallTimeoutMs } = job
  const storages = ready.filter(({ status }) => status === 'complete').map(({ storage }) => storage)
  const { base } = intent
  const metadata = metadataOf(job, intent)
  const plan = { base, storages, minCopies, codec, stallTimeoutMs, metadata, ...(cipher && { cipher }) }
  const written = await deps.layout.write(session.parts, plan, ctx)
  const data = {
    ...written,
    copies: ready.map((copy) => written.copies.find(({ storage }) => storage === copy.storage) ?? copy),
  }
  try {
    const report = await session.done
    return { data, report, inventory: await session.inventory?.() }
  } catch (error) {
    await removeData(data, intent, ctx)
    throw error
  }
}

/** What storages that can keep it may show beside an object. */
function metadataOf(job: Job, { id, request }: Intent): Metadata {
  return { job: safeName(job.name), database: safeName(job.source.database), type: request.type, 'backup-id': id }
}

async function commitOrRemove(
  manifest: Manifest,
  job: Job,
  intent: Intent,
  data: WrittenData,
  prepared: PreparedStorages,
  ctx: RunContext,
): Promise<readonly CopyOutcome[]> {
  try {
    ctx.signal.throwIfAborted()
    const { base } = intent
    const { leases } = prepared
    const copies = await commit({ manifest, base, copies: data.copies, leases, metadata: metadataOf(job, intent) }, ctx)
    if (copies.every(({ status }) => status === 'failed')) requireCopies(copies, job.minCopies)
    return copies
  } catch (error) {
    await removeData(data, intent, ctx) // no manifest is known to be written
    throw error
  }
}

/** The manifest first: a put that failed may have been stored all the same, and then nothing it names may go. */
async function removeData({ parts, copies }: WrittenData, { base }: Intent, ctx: RunContext): Promise<void> {
  const keys = parts.map(({ key }) => key)
  const remove = async ({ storage }: CopyOutcome): Promise<void> => {
    if (await removeQuietly(storage, [manifestKey(base)], ctx)) await removeQuietly(storage, keys, ctx)
  }
  await Promise.all(copies.filter(({ status }) => status === 'complete').map(remove))
}

function describe(
  job: Job,
  intent: Intent,
  data: WrittenData,
  report: DumpReport,
  inventory: Inventory | undefined,
  ctx: RunContext,
): Manifest {
  return {
    formatVersion,
    id: intent.id,
    layout: 'whole/1',
    job: job.name,
    type: intent.request.type,
    database: job.source.database,
    engine: job.source.engine,
    serverVersion: report.serverVersion,
    tools: report.tools,
    options: report.options,
    startedAt: intent.startedAt.toISOString(),
    endedAt: ctx.clock.now().toISOString(),
    ...(intent.request.label !== undefined && { label: intent.request.label }),
    copies: data.copies.map(({ storage, status }) => ({ storage: storage.name, status })),
    parts: data.parts,
    ...(inventory && { inventory }),
    warnings: report.warnings,
    holdfast: holdfastVersion,
    recover: recoverLine(data.parts[0], job.codec, job.cipher, report.recover),
  }
}

function firstReady({ copies }: PreparedStorages): Storage {
  const ready = copies.find(({ status }) => status === 'complete')
  if (ready) return ready.storage
  throw new BackupError('internal', { message: 'No storage is ready' }) // prepareStorages has thrown before
}

function sizeOf({ parts }: WrittenData): number {
  return parts.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
}

function statusOf(copies: readonly CopyOutcome[], manifest: Manifest): BackupRun['status'] {
  if (copies.some(({ status }) => status === 'failed')) return 'partial'
  return manifest.warnings.length > 0 ? 'complete_with_warnings' : 'complete'
}
