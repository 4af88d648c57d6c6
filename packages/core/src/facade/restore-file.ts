import type { Cipher } from '../cipher/cipher.js'
import type { DatabaseInfo, Driver, PreflightFindings } from '../driver/driver.js'
import { spooledFile } from '../driver/private-file.js'
import { lookBefore, prepareRestore, type RestorePlan } from '../engine/prepare-restore.js'
import { copyOn, type RestoreCopy } from '../engine/restore-copy.js'
import type { RestoreWay } from '../engine/restore-way.js'
import { type DumpFile, dumpOnDisk } from '../foreign/dump-file.js'
import { openDump } from '../foreign/open-dump.js'
import { ownBackupOf } from '../foreign/own-backup.js'
import type { Wrapping } from '../foreign/recognise.js'
import type { Manifest } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import type { RestoreOptions, RestoreResult } from './calls.js'
import type { Project } from './project.js'
import { keepMsOf, restorePlan } from './restore.js'

/** Options of {@link Holdfast.restoreFile}. */
export interface RestoreFileOptions extends Omit<RestoreOptions, 'job' | 'storage' | 'into'> {
  /** A driver bound to the target database. */
  readonly into: Driver
  /** What may decrypt the file, beside the ciphers of the jobs. */
  readonly ciphers?: readonly Cipher[]
  /** Is told what will be done, before anything is touched; what it throws ends the restore. */
  readonly confirm?: (preview: FileRestorePreview) => Promise<void>
}

/** What a restore from a file is about to do. */
export interface FileRestorePreview extends PreflightFindings {
  /** Of the backup, or made up from what the dump says of itself. */
  readonly manifest: Manifest
  /** Whether the file is of a backup, whose manifest lies beside it: then its hashes are checked. */
  readonly isBackup: boolean
  /** What the file is wrapped in, from outside in; empty for a backup, whose manifest knows. */
  readonly wrappings: readonly Wrapping[]
  readonly mode: RestoreWay
  /** The target as it is; absent if it does not exist. */
  readonly database?: DatabaseInfo
}

/** What {@link Holdfast.restoreFile} did. */
export interface RestoreFileResult extends Omit<RestoreResult, 'backup'> {
  readonly manifest: Manifest
}

/** {@link Holdfast.restoreFile}. */
export async function restoreFile(
  project: Project,
  given: DumpFile,
  options: RestoreFileOptions,
): Promise<RestoreFileResult> {
  const ctx = project.contextOf(options)
  ctx.report({ type: 'stage', stage: 'preflight', detail: given.display })
  await using held = await readableFile(given, options, ctx)
  await using opened = await openCopy(held.file, project, options, ctx)
  const { into, ciphers, confirm, signal, onProgress, keepOld, safetyBackup, ...request } = options
  const { copy, wrappings, isBackup } = opened
  const { manifest } = copy.source
  const plan: RestorePlan = { manifest, copies: [copy], target: into, request, keepMs: keepMsOf(options) }
  if (!confirm) return { manifest, ...(await restorePlan(project, plan, options, ctx)) }
  const prepared = await prepareRestore(plan, ctx)
  const { database, keepsOld } = prepared
  const mode = keepsOld && keepOld === false ? 'replace' : prepared.way
  const findings = await lookBefore(prepared, ctx)
  await confirm({ manifest, isBackup, wrappings, mode, ...(database && { database }), ...findings })
  const agreed = { ...plan, request: { ...request, mode } } // whatever has come into the target since
  return { manifest, ...(await restorePlan(project, agreed, options, ctx)) }
}

interface HeldFile extends AsyncDisposable {
  readonly file: DumpFile
}

/** In place, everything is read once before anything is touched: what comes once is kept in a private file. */
async function readableFile(file: DumpFile, { mode }: RestoreFileOptions, ctx: RunContext): Promise<HeldFile> {
  if (!file.once || (mode !== 'clean' && mode !== 'append')) return { file, async [Symbol.asyncDispose]() {} }
  const spooled = await spooledFile('dump', file.open(ctx), ctx)
  const { name, display } = file
  const kept = { ...dumpOnDisk(spooled.path), name, display }
  return { file: kept, [Symbol.asyncDispose]: () => spooled[Symbol.asyncDispose]() }
}

interface OpenedCopy extends AsyncDisposable {
  readonly copy: RestoreCopy
  readonly isBackup: boolean
  readonly wrappings: readonly Wrapping[]
}

async function openCopy(
  file: DumpFile,
  { layout, ciphers: known }: Project,
  options: RestoreFileOptions,
  ctx: RunContext,
): Promise<OpenedCopy> {
  const ciphers = [...(options.ciphers ?? []), ...known]
  const own = await ownBackupOf(file, ctx)
  if (own) {
    const wanted = own.manifest.parts.find((part) => part.cipher)?.cipher?.id
    const cipher = ciphers.find(({ id, canDecrypt }) => id === wanted && canDecrypt)
    const copy = fromFile(copyOn(own.storage, own.manifest, { layout, cipher }))
    return { copy, isBackup: true, wrappings: [], async [Symbol.asyncDispose]() {} }
  }
  const dump = await openDump(file, { ciphers }, ctx)
  const copy = fromFile({ name: file.display, source: dump.source, readThrough: dump.readThrough })
  return { copy, isBackup: false, wrappings: dump.wrappings, [Symbol.asyncDispose]: () => dump[Symbol.asyncDispose]() }
}

/** A manifest says who has made a backup, but anybody can write one. */
function fromFile(copy: RestoreCopy): RestoreCopy {
  return { ...copy, source: { ...copy.source, fromFile: true } }
}
