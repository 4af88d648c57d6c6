import type { Holdfast, JobConfig, Storage } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { encrypted, openHoldfast } from './open-holdfast.js'
import { type KeyOptions, readingCiphers } from './reading-keys.js'
import { retentionOn } from './retention.js'
import { chooseStorages, readSetup, type Setup } from './setup.js'

/** Options of every command that looks for backups. */
export interface FromOptions extends KeyOptions {
  readonly from?: readonly string[]
  /** The same as `from`. */
  readonly storage?: readonly string[]
}

/** Option of a restore. */
export interface SafetyOption {
  /** Whether what is there is backed up first. */
  readonly safetyBackup?: boolean
}

/** What a command that looks for backups works with. */
export interface OpenedBackups {
  readonly holdfast: Holdfast
  readonly setup: Setup
  readonly storages: Readonly<Record<string, Storage>>
  /** Names of the jobs that are configured. */
  readonly jobs: readonly string[]
  /** Engines of their sources. */
  readonly engines: readonly string[]
}

/**
 * Opens the storages that a command is to look at.
 *
 * @param more - Further storages that it needs, for example to copy to.
 */
export async function openBackups(
  options: FromOptions & SafetyOption,
  cli: Cli,
  more: readonly string[] = [],
): Promise<OpenedBackups> {
  const named = [...(options.from ?? []), ...(options.storage ?? [])]
  const setup = await readSetup(cli, [...named, ...more])
  const storages = {
    ...(await chooseStorages(named, setup, cli, false)),
    ...(more.length > 0 && (await chooseStorages(more, setup, cli))),
  }
  const jobs = setup.file === undefined ? {} : await setup.jobs()
  const ciphers = [...(await readingCiphers(options, setup, cli)), ...(setup.config?.ciphers ?? [])]
  const reading = readingFrom(jobs, Object.keys(storages))
  const own = { storages, jobs: reading, ciphers }
  const holdfast = openHoldfast(setup, options.safetyBackup ? encrypted(own, setup) : own, cli)
  const engines = Object.values(jobs).map(({ source }) => source.engine)
  return { holdfast, setup, storages, jobs: Object.keys(jobs), engines }
}

/** Jobs know drivers and keys; what is read comes from the storages that were chosen, and they write to no other. */
function readingFrom(
  jobs: Readonly<Record<string, JobConfig>>,
  storages: readonly string[],
): Readonly<Record<string, JobConfig>> {
  const reading = (job: JobConfig): JobConfig => {
    const own = job.storages.map((each) => (typeof each === 'string' ? each : each.name))
    const chosen = own.filter((name) => storages.includes(name))
    return { ...job, storages: chosen.length > 0 ? chosen : storages, minCopies: 1, ...retentionOn(chosen, job) }
  }
  return Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, reading(job)]))
}
