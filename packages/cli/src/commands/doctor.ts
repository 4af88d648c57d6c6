import {
  BackupError,
  type Catalog,
  createRunContext,
  type JobConfig,
  named,
  type RunContext,
  type Storage,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { withEncryption } from '../configuration/encryption.js'
import { variablesBesideConfig } from '../configuration/from-environment.js'
import { checkKnownStorages, knownStoragesFile } from '../configuration/known-storages.js'
import { catalogFor, openHoldfast } from '../configuration/open-holdfast.js'
import { ownEntry } from '../configuration/own-entry.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { chooseStorages, loggerTo, readSetup, type Setup, urlFrom } from '../configuration/setup.js'
import { binDirOf } from '../configuration/source-from-text.js'
import { checkBackups } from '../doctor/check-backups.js'
import { checkPrograms, checkRuntime } from '../doctor/check-programs.js'
import { checkSource } from '../doctor/check-source.js'
import { checkStorage } from '../doctor/check-storage.js'
import { exitCodeOf, type Finding, failure, good, warning } from '../doctor/finding.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import type { Paint } from '../output/colours.js'
import { refuseConfigured } from './choose-jobs.js'

/** Options of `holdfast doctor`. */
export interface DoctorCommandOptions {
  /** Storages to look at instead of those of the configuration. */
  readonly to?: readonly string[]
  readonly from?: readonly string[]
  readonly binDir?: string
}

/** Looks at everything that a backup needs, and says what to do about what is not in place. */
export async function doctorCommand(
  cli: Cli,
  args: readonly string[],
  options: DoctorCommandOptions,
): Promise<ExitCode> {
  const findings: Finding[] = []
  const tell = (found: readonly Finding[]): void => {
    findings.push(...found)
    for (const finding of found) cli.output.result(describe(finding, cli.output.paint))
  }
  tell(await checkRuntime())
  const named = [...(options.to ?? []), ...(options.from ?? [])]
  const setup = await attempt('configuration', () => readSetup(cli, named), tell)
  if (setup) await checkSetup(setup, args[0], options, tell, cli)
  else tell(await checkPrograms([], options.binDir))
  tell(checkState(cli))
  const exitCode = exitCodeOf(findings)
  cli.output.document({ status: exitCode === exitCodes.done ? 'well' : 'problems', exitCode, findings })
  cli.output.result(summary(findings, cli.output.paint))
  return exitCode
}

async function checkSetup(
  setup: Setup,
  asked: string | undefined,
  options: DoctorCommandOptions,
  tell: (found: readonly Finding[]) => void,
  cli: Cli,
): Promise<void> {
  const ctx = createRunContext({ signal: cli.signal, log: loggerTo(cli) })
  const url = asked !== undefined && isSourceUrl(asked) ? urlFrom({ argument: asked }, '--url-file', cli) : undefined
  const jobs = await attempt('jobs', () => jobsToCheck(url, options, setup, cli), tell)
  const isNamed = options.to !== undefined || options.from !== undefined
  const isBare = setup.file === undefined && jobs !== undefined && Object.keys(jobs).length === 0
  tell([
    isBare && !isNamed ? noDatabase : good('configuration', setup.file ?? 'no config file; the environment is used'),
  ])
  const encrypted = jobs && (await attempt('encryption', async () => withEncryption(jobs, setup.read), tell))
  tell(await checkPrograms(Object.values(encrypted ?? jobs ?? {}), options.binDir))
  const needsNone = isBare || url !== undefined
  const storages = await attempt('storages', () => storagesToCheck(setup, options, needsNone, cli), tell)
  if (storages) await tellStorages(storages, catalogFor(setup, storages, cli), ctx, tell, cli)
  if (!jobs || !storages) return
  const chosen = url === undefined ? choose(jobs, asked) : jobs
  for (const [name, job] of Object.entries(chosen)) tell(await checkSource(name, job, ctx))
  if (Object.keys(storages).length === 0) return
  const reading = isNamed || url !== undefined ? readingFrom(Object.keys(storages), jobs) : jobs
  await using holdfast = await attempt('jobs', async () => openHoldfast(setup, { storages, jobs: reading }, cli), tell)
  if (!holdfast) return
  const firstBackup = url === undefined ? undefined : 'Back it up: holdfast backup URL --to STORAGE'
  for (const name of Object.keys(chosen)) tell(await checkBackups(name, holdfast, cli.signal, firstBackup))
}

async function tellStorages(
  storages: Readonly<Record<string, Storage>>,
  catalog: Catalog,
  ctx: RunContext,
  tell: (found: readonly Finding[]) => void,
  cli: Cli,
): Promise<void> {
  for (const [name, unnamed] of Object.entries(storages)) {
    const storage = named(unnamed, name)
    const found = await checkStorage(storage, catalog, ctx)
    tell(found)
    await tellPolicy(storage, found, cli)
  }
}

/** Jobs whose backups lie on these storages, and not on their own. */
function readingFrom(
  storages: readonly string[],
  jobs: Readonly<Record<string, JobConfig>>,
): Readonly<Record<string, JobConfig>> {
  return Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, { ...job, storages, minCopies: 1 }]))
}

async function jobsToCheck(
  url: string | undefined,
  options: DoctorCommandOptions,
  setup: Setup,
  cli: Cli,
): Promise<Readonly<Record<string, JobConfig>>> {
  if (url === undefined && options.binDir !== undefined) refuseConfigured(setup, 'binDir')
  if (url === undefined) return setup.jobs(binDirOf(options))
  const source = await askingSource(url, binDirOf(options), cli)
  return { [source.database]: { source, storages: [] } }
}

/** Those that were named; else those of the configuration. No directory is made that nobody asked for. */
async function storagesToCheck(
  setup: Setup,
  { to = [], from = [] }: DoctorCommandOptions,
  needsNone: boolean,
  cli: Cli,
): Promise<Readonly<Record<string, Storage>>> {
  if (to.length + from.length > 0) {
    const written = to.length > 0 ? await chooseStorages(to, setup, cli) : {}
    return { ...written, ...(from.length > 0 && (await chooseStorages(from, setup, cli, false))) }
  }
  if (needsNone && setup.file === undefined && variablesBesideConfig(cli.world.env).length === 0) return {}
  return setup.storages()
}

/** Where identities of storages are remembered, which is how a volume that is not mounted is noticed. */
function checkState(cli: Cli): readonly Finding[] {
  const file = knownStoragesFile(cli.world)
  const problem =
    file === undefined ? 'neither XDG_STATE_HOME nor HOME is set' : checkKnownStorages(file, loggerTo(cli))
  if (problem === undefined) return [good('state', `storages are remembered in ${file}`)]
  const advice =
    'Backups work, but a volume that is not mounted goes unnoticed. Set XDG_STATE_HOME to a directory that can be written.'
  return [warning('state', `storages cannot be remembered: ${problem}`, advice)]
}

async function attempt<Result>(
  about: string,
  work: () => Promise<Result>,
  tell: (found: readonly Finding[]) => void,
): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    tell([failure(about, error)])
    return undefined
  }
}

function choose(
  jobs: Readonly<Record<string, JobConfig>>,
  only: string | undefined,
): Readonly<Record<string, JobConfig>> {
  if (only === undefined) return jobs
  const job = ownEntry(jobs, only)
  if (job) return { [only]: job }
  throw new BackupError('no-match', {
    message: `No job is called ${JSON.stringify(only)}`,
    hint: `There are: ${Object.keys(jobs).join(', ') || 'none'}.`,
  })
}

const noDatabase: Finding = warning(
  'configuration',
  'there is neither a config file nor DATABASE_URL',
  'Set DATABASE_URL, or write holdfast.config.ts; or name everything: holdfast backup postgres://… --to ./backups',
)

/** The permissions that S3 has to give, where some are denied or somebody wants to know. */
async function tellPolicy(storage: Storage, found: readonly Finding[], { output }: Cli): Promise<void> {
  const place = /^s3:\/\/(?<bucket>[^/ ]+)\/?(?<prefix>.*?)(?: at [^ ]+)?$/.exec(storage.display)?.groups
  const isDenied = found.some(({ code }) => code === 'storage-denied')
  if (!place || !(isDenied || output.verbose)) return
  const { minimalPolicy, staleUploadRule } = await import('@holdfast/storage-s3')
  const { bucket = '', prefix = '' } = place
  output.result(`  The least that ${storage.name} has to allow, as a policy of IAM:`)
  output.result(JSON.stringify(minimalPolicy(bucket, prefix), undefined, 2).replace(/^/gm, '    '))
  output.result('  A lifecycle rule that removes uploads which nobody finished:')
  output.result(JSON.stringify(staleUploadRule(prefix), undefined, 2).replace(/^/gm, '    '))
}

function describe({ level, about, text, advice }: Finding, paint: Paint): string {
  const mark = { good: paint.good('ok'), warning: paint.warning('note'), problem: paint.bad('FAIL') }[level]
  const padding = ' '.repeat({ good: 3, warning: 1, problem: 1 }[level])
  const first = `${mark}${padding}${about}: ${text}`
  return advice === undefined ? first : `${first}\n     ${paint.strong('→')} ${advice}`
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const problems = findings.filter(({ level }) => level === 'problem').length
  const warnings = findings.filter(({ level }) => level === 'warning').length
  if (problems > 0) return paint.bad(`${problems} ${problems === 1 ? 'problem' : 'problems'} to see to`)
  return paint.good(warnings > 0 ? `All well, with ${warnings} to note` : 'All well')
}
