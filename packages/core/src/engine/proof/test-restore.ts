import { BackupError } from '../../backup-error.js'
import type { Cipher } from '../../cipher/cipher.js'
import type { Driver, DumpSection } from '../../driver/driver.js'
import type { Inventory, Manifest, ManifestPart } from '../../layout/manifest.js'
import type { RunContext } from '../../run-context.js'
import type { Storage } from '../../storage/storage.js'
import { type Assertion, type FailedAssertion, failedAssertions } from '../assertions.js'
import { compareInventory } from './compare-inventory.js'
import { type ComparedDump, judgeSections } from './judge-sections.js'
import { reDumpRequest, withDump, withPart } from './re-dump.js'
import { restoreIntoScratch } from './restore-into-scratch.js'
import type { Difference, TestRestore } from './test-restore-result.js'
import { makesTests, type TestingDriver } from './testing-driver.js'
import { type ReadPart, watchBackup } from './watched-backup.js'

/** What to restore for a test, and where. */
export interface TestRestorePlan {
  readonly manifest: Manifest
  /** Whose copy is tested. */
  readonly storage: Storage
  readonly cipher?: Cipher | undefined
  /** Beside its database the scratch is made. */
  readonly on: Driver
  /** Whether that is another server than the one that was backed up. */
  readonly elsewhere: boolean
  readonly assertions?: readonly Assertion[] | undefined
}

/** What came of a copy that was restored for a test. */
export interface TestedCopy {
  readonly test: TestRestore
  /** Size and hash of each part, for each was read to its end. */
  readonly parts: readonly ReadPart[]
}

/** Most differences that a result keeps. */
const maxDifferences = 100

/**
 * Restores a copy into a scratch database, dumps that again with the options of the backup, and compares the two dumps
 * section by section. Whatever is written to the source meanwhile is no matter: nothing but the backup is compared.
 * The stored copy is read once: its sections are taken while the restore reads it. The scratch is dropped in the end,
 * whatever happens.
 *
 * @returns That the backup cannot be restored, or comes out different, is a result.
 * @throws {BackupError} `corrupt` when the copy is damaged; and what keeps the test from being made, which says nothing
 *   about the backup: `restore-refused`, `source-unreachable`, `wrong-key`, `tool-missing`, …
 */
export async function runTestRestore(plan: TestRestorePlan, ctx: RunContext): Promise<TestedCopy> {
  const { manifest } = plan
  const started = ctx.clock.monotonic()
  const { on, part } = requireMeans(plan)
  const backup = watchBackup(plan, on, part, ctx)
  const restoring = await restoreIntoScratch(plan, on, backup.source, ctx)
  await using scratch = restoring.scratch
  const about = {
    testedAt: ctx.clock.now().toISOString(),
    on: on.display,
    serverVersion: restoring.serverVersion,
    restoreMs: restoring.restoreMs,
  }
  const found = restoring.problem === undefined ? await examine() : undefined
  const { parts } = await backup.finish()
  const { differences = [], failed = [] } = found ?? {}
  const test: TestRestore = {
    ...about,
    status: restoring.problem === undefined ? statusOf(differences, failed) : 'failed',
    durationMs: ctx.clock.monotonic() - started,
    sections: found?.sections ?? 0,
    differences: differences.slice(0, maxDifferences),
    failedAssertions: failed,
    notes: [...restoring.notes, ...(found?.notes ?? [])],
    ...(restoring.problem !== undefined && { problem: restoring.problem }),
  }
  return { test, parts }

  async function examine(): Promise<Examination> {
    ctx.report({ type: 'stage', stage: 'verify', detail: `comparing the scratch database beside ${on.display}` })
    const dumped: ComparedDump = {
      sections: await backup.sections(),
      again: (use) => use(part, backup.source.open(part.name, ctx)),
    }
    const request = reDumpRequest(manifest)
    const restored: ComparedDump & { readonly inventory: Inventory | undefined } = {
      ...(await dumpScratch(scratch.driver, on, manifest, part, ctx)),
      again: (use) => withPart(scratch.driver, request, part.name, use, ctx),
    }
    const judged = await judgeSections(dumped, restored, {
      driver: on,
      sameVersion: sameRelease(manifest.serverVersion, restoring.serverVersion),
      strictPlacement: !plan.elsewhere && restoring.withOwners,
      ctx,
    })
    const counted = manifest.inventory && restored.inventory && compareInventory(manifest.inventory, restored.inventory)
    const failed = await failedAssertions(plan.assertions ?? [], scratch.driver, ctx)
    return {
      differences: [...(await nothingCompared(dumped, scratch.driver, ctx)), ...judged.differences, ...(counted ?? [])],
      failed,
      notes: judged.notes,
      sections: dumped.sections.length,
    }
  }
}

/** What was seen of a restored database. */
interface Examination {
  readonly differences: readonly Difference[]
  readonly failed: readonly FailedAssertion[]
  readonly notes: readonly string[]
  readonly sections: number
}

/** A difference counts for more: what is asserted of another content says nothing. */
function statusOf(differences: readonly Difference[], failed: readonly FailedAssertion[]): TestRestore['status'] {
  if (differences.length > 0) return 'differs'
  return failed.length > 0 ? 'assertion-failed' : 'proven'
}

/** Two dumps in which nothing is told apart are equal, and prove nothing; unless there is nothing to tell apart. */
async function nothingCompared(
  { sections }: ComparedDump,
  restored: Driver,
  ctx: RunContext,
): Promise<readonly Difference[]> {
  if (sections.length > 0) return []
  const { database } = await restored.probe(ctx)
  return database?.empty ? [] : [{ section: 'dump', problem: 'nothing was found in it that could be compared' }]
}

/** What must be there before anything is begun. */
function requireMeans({ on, manifest, cipher }: TestRestorePlan): { on: TestingDriver; part: ManifestPart } {
  if (!makesTests(on)) {
    throw new BackupError('config-invalid', {
      message: `The driver of ${on.display} (${on.engine}) makes no test restores`,
      hint: 'Verify without a test restore: the stored bytes are read and compared all the same.',
    })
  }
  if (on.engine !== manifest.engine) {
    throw new BackupError('config-invalid', {
      message: `Backup ${manifest.id} is of ${manifest.engine} and cannot be restored on ${on.display} (${on.engine})`,
      hint: 'Name a server of the same engine.',
    })
  }
  const locked = manifest.parts.find((part) => part.cipher && !cipher?.canDecrypt)
  if (locked) {
    throw new BackupError('wrong-key', {
      message: `A test restore has to read ${locked.key}, and no key that reads it is configured`,
      hint: 'Give the key (--identity FILE, or identities in the configuration), or run the test restore where it is.',
    })
  }
  const [part] = manifest.parts
  if (part) return { on, part }
  throw new BackupError('manifest-invalid', { message: `Backup ${manifest.id} has no parts` })
}

async function dumpScratch(
  driver: Driver,
  on: TestingDriver,
  manifest: Manifest,
  part: ManifestPart,
  ctx: RunContext,
): Promise<{ readonly sections: readonly DumpSection[]; readonly inventory: Inventory | undefined }> {
  const { inventory } = manifest
  const request = { ...reDumpRequest(manifest), inventory: inventory?.exact ? inventory.level : ('none' as const) }
  const look: Parameters<typeof withDump<readonly DumpSection[]>>[3] = (dumped, body) => on.sections(dumped, body, ctx)
  const whole = await withDump(driver, request, part.name, look, ctx)
  return { sections: whole.result, inventory: whole.inventory }
}

/** Whether two servers write their definitions in the same way: by major version, and by series below 12. */
function sameRelease(one: string, other: string): boolean {
  const seriesOf = (version: string): string => {
    const [major = '', minor = ''] = version.split('.')
    return Number.parseInt(major, 10) >= 12 ? `${Number.parseInt(major, 10)}` : `${major}.${minor}`
  }
  return seriesOf(one) === seriesOf(other)
}
