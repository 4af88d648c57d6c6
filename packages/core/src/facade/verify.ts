import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { BackupRecord } from '../engine/backup-record.js'
import { isRefuted } from '../engine/proof/doubt.js'
import { type DueVerification, dueVerifications } from '../engine/proof/due-verifications.js'
import { testCopy } from '../engine/proof/test-copy.js'
import type { TestRestorePlan } from '../engine/proof/test-restore.js'
import { readBackups } from '../engine/read-backups.js'
import { type VerifyMeans, verifyCopy } from '../engine/verify-backup.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { CallOptions, CopyVerification, Scope, VerifyOptions, VerifyResult } from './calls.js'
import { anyState, type Project } from './project.js'

/** {@link Holdfast.verify}. */
export async function verifyBackup(project: Project, selector: string, options: VerifyOptions): Promise<VerifyResult> {
  const { cipherFor, contextOf, find, holders, driverFor } = project
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx, anyState)
  using _reading = project.inUse.hold(backup.id)
  const plan = options.testRestore ? testPlan(backup, options.testRestore, project) : undefined
  const means = { driver: options.driver ?? driverFor(backup), cipher: cipherFor(backup) }
  const copies: CopyVerification[] = []
  let test: VerifyResult['test']
  for (const storage of holders(backup)) {
    const toTest = plan && !test
    ctx.report({ type: 'stage', stage: 'verify', detail: `${backup.name} on ${storage.name}` })
    const copy = toTest
      ? await testOn({ ...plan, storage }, backup, ctx)
      : await verifyOn(storage, backup, { ...means, ...knownTest(backup, storage) }, ctx)
    copies.push(copy)
    if (toTest && copy.status !== 'unreadable' && copy.test) test = { ...copy.test, storage: storage.name }
  }
  return { backup, copies, status: worstOf(copies, test), ...(test && { test }) }
}

function worstOf(copies: readonly CopyVerification[], test: VerifyResult['test']): VerifyResult['status'] {
  const some = (status: CopyVerification['status']): boolean => copies.some((copy) => copy.status === status)
  if (some('corrupt') || isRefuted({ test })) return 'corrupt'
  if (test?.status === 'assertion-failed') return 'assertion-failed'
  return some('unreadable') ? 'unreadable' : 'intact'
}

/** {@link Holdfast.dueVerifications}. */
export async function dueNow(
  { jobs, catalog, contextOf, inScope }: Project,
  scope: Scope & CallOptions,
): Promise<readonly DueVerification[]> {
  const ctx = contextOf(scope)
  const settings = new Map([...jobs].flatMap(([name, { verify }]) => (verify ? [[name, verify] as const] : [])))
  if (settings.size === 0) return []
  const { backups } = await readBackups(inScope(scope), { job: scope.job }, catalog, ctx)
  return dueVerifications(backups, settings, ctx.clock.now())
}

/** Where and how to restore for a test: as the call says, else as the job does. */
function testPlan(
  backup: BackupRecord,
  asked: NonNullable<VerifyOptions['testRestore']>,
  { jobs, cipherFor }: Project,
): Omit<TestRestorePlan, 'storage'> {
  const job = jobs.get(backup.job)
  const settings = job?.verify?.testRestore
  const given = asked === true || asked === false ? {} : asked
  const on = given.on ?? settings?.on ?? job?.source
  if (!on) {
    throw new BackupError('config-invalid', {
      message: `It is not said on which server to restore ${backup.name} for a test, and no job is called ${JSON.stringify(backup.job)}`,
      hint: 'Name a database of that server (on); a scratch database is made beside it.',
    })
  }
  return {
    manifest: backup.manifest,
    cipher: cipherFor(backup),
    on,
    elsewhere: on !== job?.source,
    assertions: given.assertions ?? settings?.assertions,
  }
}

/** The storage is away, or refuses, or no longer has it: retention may have deleted it meanwhile. */
const ofTheCopy = ['unavailable', 'storage-denied', 'not-found'] as const

/** Only what speaks against the copy, or keeps it from being read, is its result; the rest kept the test from running. */
async function testOn(plan: TestRestorePlan, backup: BackupRecord, ctx: RunContext): Promise<CopyVerification> {
  const { storage } = plan
  try {
    return { storage: storage.name, ...(await testCopy(plan, backup.base, ctx)) }
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!ofTheCopy.some((code) => isBackupError(error, code))) throw error
    return { storage: storage.name, status: 'unreadable', problem: messageOf(error), error }
  }
}

async function verifyOn(
  storage: Storage,
  backup: BackupRecord,
  means: VerifyMeans,
  ctx: RunContext,
): Promise<CopyVerification> {
  try {
    return { storage: storage.name, ...(await verifyCopy(backup.manifest, backup.base, storage, means, ctx)) }
  } catch (error) {
    ctx.signal.throwIfAborted()
    return { storage: storage.name, status: 'unreadable', problem: messageOf(error), error }
  }
}

function knownTest({ copies }: BackupRecord, { name }: Storage): Pick<VerifyMeans, 'test'> {
  return { test: copies.find(({ storage }) => storage === name)?.test }
}
