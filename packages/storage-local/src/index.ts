export type { LocalOptions } from './local-options.js'
export { localPlugin } from './local-plugin.js'
export { local } from './local-storage.js'
