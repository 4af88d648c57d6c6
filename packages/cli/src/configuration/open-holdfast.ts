import { type Catalog, createHoldfast, type Holdfast, type HoldfastConfig, type Storage } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { withEncryption } from './encryption.js'
import { commandCatalog } from './known-storages.js'
import { loggerTo, type Setup } from './setup.js'

/** What a command works with: the rest is as the config file says. */
export interface CommandConfig extends Pick<HoldfastConfig, 'jobs' | 'ciphers'> {
  readonly storages: Readonly<Record<string, Storage>>
}

/** The same for a command that takes backups on the way. What the jobs' own keys read is read all the same. */
export function encrypted(own: CommandConfig, { config, read }: Setup): CommandConfig {
  const keys = Object.values(own.jobs).flatMap(({ encrypt }) => encrypt ?? [])
  return { ...own, jobs: withEncryption(own.jobs, read), ciphers: [...(own.ciphers ?? config?.ciphers ?? []), ...keys] }
}

/** Opens jobs and storages for one command. */
export function openHoldfast(setup: Setup, own: CommandConfig, cli: Cli): Holdfast {
  return createHoldfast({
    ...setup.config,
    catalog: catalogFor(setup, own.storages, cli),
    ...own,
    logger: loggerTo(cli),
  })
}

/** What remembers which storage is which: the config file's catalog, else a file of this user's. */
export function catalogFor(setup: Setup, storages: CommandConfig['storages'], cli: Cli): Catalog {
  return setup.config?.catalog ?? commandCatalog(cli.world, storages, loggerTo(cli))
}
