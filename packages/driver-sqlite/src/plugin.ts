import { BackupError, type Driver, type DriverPlugin, definePlugin } from '@holdfast/core'
import type * as z from 'zod'
import { sqlite } from './driver.js'
import { type SqliteOptions, type SqliteSettings, sqliteOptions } from './options.js'

/** SQLite, for programs that read configuration: name, URL scheme, options, and how to make a driver. */
export const sqlitePlugin: DriverPlugin<z.ZodType<SqliteSettings, SqliteOptions>> = definePlugin({
  kind: 'driver',
  id: 'sqlite',
  title: 'SQLite',
  schemes: ['sqlite'],
  options: sqliteOptions,
  fromUrl,
  create: (options): Driver => sqlite(options),
})

/** What stands after the scheme is a path, as it stands: file names hold `%` and `?` too. */
function fromUrl(url: string): SqliteOptions {
  const path = /^sqlite:(?:\/\/(?=\/))?(?!\/\/)(.+)$/is.exec(url)?.[1]
  if (path !== undefined) return { path }
  throw new BackupError('config-invalid', {
    message: `${url} does not name a SQLite database`,
    hint: 'Write it as sqlite:./app.db, sqlite:/var/lib/app.db or sqlite:///var/lib/app.db.',
  })
}
