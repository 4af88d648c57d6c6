export { postgres } from './driver.js'
export type { PostgresOptions, PostgresSettings, SslMode } from './options.js'
export { postgresOptions } from './options.js'
export { postgresPlugin } from './plugin.js'
