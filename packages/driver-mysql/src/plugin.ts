import { type Driver, type DriverPlugin, definePlugin } from '@holdfast/core'
import type * as z from 'zod'
import { mysql } from './driver.js'
import { type MysqlOptions, type MysqlSettings, mysqlOptions } from './options.js'

/** MySQL and MariaDB, for programs that read configuration: name, URL schemes, options, and how to make a driver. */
export const mysqlPlugin: DriverPlugin<z.ZodType<MysqlSettings, MysqlOptions>> = definePlugin({
  kind: 'driver',
  id: 'mysql',
  title: 'MySQL and MariaDB',
  schemes: ['mysql', 'mariadb'],
  options: mysqlOptions,
  fromUrl: (url): MysqlOptions => ({ url }),
  create: (options): Driver => mysql(options),
})
