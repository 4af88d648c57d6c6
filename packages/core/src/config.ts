import type { Catalog } from './catalog/catalog.js'
import type { Cipher } from './cipher/cipher.js'
import { closest } from './closest.js'
import type { Codec } from './codec/codec.js'
import type { Driver, DumpRequest, InventoryLevel } from './driver/driver.js'
import type { Duration } from './duration.js'
import type { Job } from './engine/job.js'
import { type CheckedJob, checkConfig, invalidConfig } from './facade/config-schema.js'
import { quoted } from './quoted.js'
import type { RetentionStrategy } from './retention/retention-strategy.js'
import type { Clock, Logger } from './run-context.js'
import { named } from './storage/named-storage.js'
import type { Storage } from './storage/storage.js'
import { testRestoreProblem, type VerifyConfig } from './verify-config.js'

/** What {@link createHoldfast} is made from. */
export interface HoldfastConfig {
  /** Storages by the name that jobs, messages and manifests use. */
  readonly storages?: Readonly<Record<string, Storage>>
  /** Jobs by name. */
  readonly jobs: Readonly<Record<string, JobConfig>>
  /** Keys that read backups whose job has none here, or no longer: they are tried before those of the jobs. */
  readonly ciphers?: readonly Cipher[]
  /** Where runs and identities are remembered. Default: in memory. */
  readonly catalog?: Catalog
  /** Default: silence. */
  readonly logger?: Logger
  /** Default: the machine's. */
  readonly clock?: Clock
}

/** A database and where its backups go. */
export interface JobConfig {
  readonly source: Driver
  /** Names of `storages`, or storages themselves. All are written in one pass. */
  readonly storages: readonly (string | Storage)[]
  /** `zstd` (default, level 3), `zstd:9`, `gzip`, `gzip:6`, `none`, or a codec. */
  readonly compress?: string | Codec
  /** {@link age} or {@link gpg}. Default: backups are readable by whoever can read the storage. */
  readonly encrypt?: Cipher
  /** Copies that must be whole for the run to count. Default 1. */
  readonly minCopies?: number
  /** What to dump; default: the whole database. */
  readonly dump?: Pick<DumpRequest, 'sections' | 'tables' | 'excludeTables' | 'format'>
  /** What the manifest records of the dumped state. Default `counts`: the rows of each table. */
  readonly inventory?: InventoryLevel
  /** Whether a warning of the dump program fails the run. Default `complete`. */
  readonly onWarning?: 'complete' | 'fail'
  /** Time for which a copy may accept no byte before it is given up. Default `'5m'`. */
  readonly stallTimeout?: Duration
  /**
   * Which backups stay: {@link keep}, {@link maxAge} and others, for all storages or by the name of each. What it does
   * not keep is deleted after each backup, and by `prune`. Default: everything stays.
   */
  readonly retention?: RetentionStrategy | Readonly<Record<string, RetentionStrategy>>
  /** Complete backups that stay on each storage, whatever the retention says. Default 1. */
  readonly minKeep?: number
  /** How often backups are read again and restored for a test. Default: when asked for. */
  readonly verify?: VerifyConfig
}

/** A configuration, checked, with everything resolved. */
export interface ResolvedConfig {
  readonly storages: ReadonlyMap<string, Storage>
  readonly jobs: ReadonlyMap<string, Job>
}

/**
 * Types a configuration and checks it.
 *
 * @example
 * ```ts
 * import { defineConfig } from '@holdfast/core'
 * import { postgres } from '@holdfast/driver-postgres'
 * import { local } from '@holdfast/storage-local'
 *
 * export default defineConfig({
 *   storages: { disk: local({ path: './backups' }) },
 *   jobs: { shop: { source: postgres({ url: 'postgres://localhost/shop' }), storages: ['disk'] } },
 * })
 * ```
 * @throws {BackupError} `config-invalid`, naming the path, the value and the fix.
 */
export function defineConfig<Config extends HoldfastConfig>(config: Config): Config {
  resolveConfig(config)
  return config
}

/** Checks a configuration and resolves names, compression and durations. */
export function resolveConfig(config: HoldfastConfig): ResolvedConfig {
  const checked = checkConfig(config)
  const shared = Object.entries(config.storages ?? {}).map(([name, storage]) => [name, named(storage, name)] as const)
  const storages = new Map<string, Storage>(shared)
  const originals = new Map(Object.entries(config.storages ?? {}))
  const jobs = new Map<string, Job>()
  for (const [name, job] of Object.entries(checked)) jobs.set(name, resolveJob(name, job, storages, originals))
  return { storages, jobs }
}

function resolveJob(
  name: string,
  job: CheckedJob,
  storages: Map<string, Storage>,
  originals: Map<string, Storage>,
): Job {
  const path = `jobs.${name}`
  const resolved = job.storages.map((storage, index) =>
    resolveStorage(storage, `${path}.storages.${index}`, storages, originals),
  )
  if (new Set(resolved).size < resolved.length) throw invalidConfig([`${path}.storages: names a storage twice`])
  if (job.minCopies > resolved.length) {
    const storages = resolved.length === 1 ? '1 storage' : `${resolved.length} storages`
    throw invalidConfig([`${path}.minCopies: is ${job.minCopies}, but the job has only ${storages}`])
  }
  const { dump, inventory, onWarning } = job
  const { formats } = job.source
  if (dump.format !== undefined && formats?.includes(dump.format) === false) {
    throw invalidConfig([
      `${path}.dump.format: must be one of ${formats.join(', ')} (it is ${JSON.stringify(dump.format)})`,
    ])
  }
  const canDecrypt = !job.verify || (job.encrypt?.canDecrypt ?? true) // gpg looks through its keyring to answer
  const untestable = job.verify && testRestoreProblem(job.verify, { source: job.source, canDecrypt })
  if (untestable) throw invalidConfig([`${path}.verify.${untestable.key}: ${untestable.problem}`])
  return {
    name,
    source: job.source,
    storages: resolved,
    minCopies: job.minCopies,
    codec: job.compress,
    ...(job.encrypt && { cipher: job.encrypt }),
    dump: { ...(dump as DumpRequest), inventory, onWarning },
    stallTimeoutMs: job.stallTimeout,
    ...(job.verify && { verify: job.verify }),
    retention: retentionOf(job, resolved, path),
    minKeep: job.minKeep,
  }
}

/** Storages given in place are known by their own name from then on. */
function resolveStorage(
  value: string | Storage,
  path: string,
  storages: Map<string, Storage>,
  originals: Map<string, Storage>,
): Storage {
  if (typeof value === 'string') {
    const found = storages.get(value)
    if (found) return found
    throw invalidConfig([`${path}: no storage is called ${quoted(value)}${closest(value, [...storages.keys()])}`])
  }
  const known = [...originals].find(([, original]) => original === value)
  if (known) return storages.get(known[0]) ?? value
  if (storages.has(value.name)) {
    throw invalidConfig([
      `${path}: two storages are called ${JSON.stringify(value.name)}; give one of them another name, or use one object for both jobs`,
    ])
  }
  originals.set(value.name, value)
  storages.set(value.name, value)
  return value
}

/** The strategy of each storage that has one. */
function retentionOf(
  { retention = {} }: CheckedJob,
  storages: readonly Storage[],
  path: string,
): ReadonlyMap<string, RetentionStrategy> {
  const names = storages.map(({ name }) => name)
  if (isStrategy(retention)) return new Map(names.map((name) => [name, retention]))
  const unknown = Object.keys(retention).find((name) => !names.includes(name))
  if (unknown === undefined) return new Map(Object.entries(retention))
  throw invalidConfig([
    `${path}.retention: the job has no storage called ${JSON.stringify(unknown)}${closest(unknown, names)}`,
  ])
}

function isStrategy(value: NonNullable<CheckedJob['retention']>): value is RetentionStrategy {
  return typeof value.decide === 'function'
}
