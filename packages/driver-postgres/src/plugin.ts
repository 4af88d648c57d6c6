import { type Driver, type DriverPlugin, definePlugin } from '@holdfast/core'
import type * as z from 'zod'
import { postgres } from './driver.js'
import { type PostgresOptions, type PostgresSettings, postgresOptions } from './options.js'

/** PostgreSQL, for programs that read configuration: name, URL schemes, options, and how to make a driver. */
export const postgresPlugin: DriverPlugin<z.ZodType<PostgresSettings, PostgresOptions>> = definePlugin({
  kind: 'driver',
  id: 'postgres',
  title: 'PostgreSQL',
  schemes: ['postgres', 'postgresql'],
  options: postgresOptions,
  fromUrl: (url): PostgresOptions => ({ url }),
  create: (options): Driver => postgres(options),
})
