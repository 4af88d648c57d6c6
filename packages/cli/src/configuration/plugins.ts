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
]

/** The scheme of a URL in lower case; `undefined` for a path. A single letter is a drive, not a scheme. */
export function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):(?:\/\/|[^\\/])/i.exec(text)?.[1]?.toLowerCase()
}

/** Whether text names a database by its URL. */
export function isSourceUrl(text: string): boolean {
  const scheme = schemeOf(text)
  return scheme !== undefined && text.includes('://')
}
