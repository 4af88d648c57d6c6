import {
  type AsideRecord,
  BackupError,
  createHoldfast,
  createRunContext,
  type Driver,
  type Holdfast,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { ownEntry } from '../configuration/own-entry.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { loggerTo, readSetup, urlFrom } from '../configuration/setup.js'
import { binDirOf } from '../configuration/source-from-text.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatTime } from '../output/format-duration.js'
import type { AsideCommandOptions } from './restore-options.js'

/** Something that a restore left beside a database, in a few words. */
export function describeAside({ name, kind, since, sizeBytes }: AsideRecord): string {
  const what = kind === 'replaced' ? 'replaced' : 'an unfinished restore of'
  return `${name} (${what} ${formatTime(since)}, ${formatBytes(sizeBytes)})`
}

/** The database that was named, or those of all jobs that can put something aside. */
export async function databasesOf(options: AsideCommandOptions, cli: Cli): Promise<readonly Driver[]> {
  const isJob = options.into !== undefined && !isSourceUrl(options.into)
  const url = isJob ? undefined : urlFrom({ argument: options.into, file: options.intoFile }, '--into-file', cli)
  if (url !== undefined) {
    return [await askingSource(url, binDirOf(options), cli)]
  }
  const jobs = await jobsOf(cli)
  if (options.into !== undefined) return [await jobNamed(options.into, jobs, cli)]
  const sources = Object.values(jobs).flatMap(({ source }) => (source.asides ? [source] : []))
  if (sources.length === 0) throw whichOne(jobs)
  return [...new Map(sources.map((source) => [source.display, source])).values()]
}

type Jobs = Readonly<Record<string, { readonly source: Driver }>>

/** Those of the config file; without one there are none. */
export async function jobsOf(cli: Cli): Promise<Jobs> {
  const setup = await readSetup(cli)
  return setup.file === undefined ? {} : await setup.jobs()
}

async function jobNamed(name: string, jobs: Jobs, cli: Cli): Promise<Driver> {
  const job = ownEntry(jobs, name)
  if (job) return job.source
  throw new BackupError('no-match', {
    message: `No job is called ${JSON.stringify(name)}`,
    hint: `${await whatElse(name, jobs, cli)}Name ${Object.keys(jobs).join(', ') || 'a job of a config file'}, or the URL of a database.`,
  })
}

/** For whom has named a database where a job belongs. */
async function whatElse(name: string, jobs: Jobs, cli: Cli): Promise<string> {
  for (const [job, { source }] of Object.entries(jobs)) {
    if (source.database === name) return `It is the database of the job ${job}. `
    const asides = await source.asides?.(createRunContext({ signal: cli.signal })).catch(() => [])
    cli.signal.throwIfAborted()
    if (asides?.some((aside) => aside.name === name)) {
      return `It was put aside by a restore: holdfast restore undo ${name} --into ${job}. `
    }
  }
  return ''
}

/** For whom has not said which of several databases. */
export function whichOne(jobs: Jobs): BackupError {
  const names = Object.keys(jobs)
  return new BackupError('config-invalid', {
    message: 'It is not said of which database',
    hint: `Add --into with a job${names.length > 0 ? ` (${names.join(', ')})` : ''} or with postgres://user@host/database.`,
  })
}

/** What stands beside a database is asked of its server alone. */
export function withoutStorages(cli: Cli): Holdfast {
  return createHoldfast({ jobs: {}, logger: loggerTo(cli) })
}
