import type { DriverPlugin, StoragePlugin } from '@holdfast/core'

/** A plugin that is loaded only when something needs it. */
interface LazyPlugin<Plugin> {
  readonly id: string
  readonly schemes: readonly string[]
  load(): Promise<Plugin>
}

/** The drivers that come with the command line. */
export const driverPlugins: readonly LazyPlugin<DriverPlugin>[] = [
  {
    id: 'postgres',
    schemes: ['postgres', 'postgresql'],
    load: async () => (await import('@holdfast/driver-postgres')).postgresPlugin as unknown as DriverPlugin,
  },
  {
    id: 'mysql',
    schemes: ['mysql', 'mariadb'],
    load: async () => (await import('@holdfast/driver-mysql')).mysqlPlugin as unknown as DriverPlugin,
  },
  {
    id: 'sqlite',
    schemes: ['sqlite'],
    load: async () => (await import('@holdfast/driver-sqlite')).sqlitePlugin as unknown as DriverPlugin,
  },
]

/** The storages that come with the command line. Text without a scheme is a path for the first. */
export const storagePlugins: readonly [LazyPlugin<StoragePlugin>, ...LazyPlugin<StoragePlugin>[]] = [
  {
    id: 'local',
    schemes: ['file'],
    load: async () => (await import('@holdfast/storage-local')).localPlugin as unknown as StoragePlugin,
  },
  {
    id: 's3',
    schemes: ['s3'],
    load: async () => (await import('@holdfast/storage-s3')).s3Plugin as unknown as StoragePlugin,
  },
  {
    id: 'sftp',
    schemes: ['sftp'],
    load: async () => (await import('@holdfast/storage-sftp')).sftpPlugin as unknown as StoragePlugin,
  },
]

/** The scheme of a URL in lower case; `undefined` for a path. A single letter is a drive, not a scheme. */
export function schemeOf(text: string): string | undefined {
  return /^(?:sqlite(?=:.)|[a-z][a-z0-9+.-]+(?=:(?:\/\/|[^\\/])))/i.exec(text)?.[0]?.toLowerCase()
}

/** Whether text names a database by its URL: `postgres://…`, `sqlite:./app.db`. */
export function isSourceUrl(text: string): boolean {
  const scheme = schemeOf(text)
  return scheme === 'sqlite' || (scheme !== undefined && text.includes('://'))
}
