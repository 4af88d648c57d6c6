export { sqlite } from './driver.js'
export type { SqliteOptions, SqliteSettings } from './options.js'
export { sqliteOptions } from './options.js'
export { sqlitePlugin } from './plugin.js'
