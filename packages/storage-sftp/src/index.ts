export type { SftpOptions } from './options.js'
export { sftpPlugin } from './plugin.js'
export { sftp } from './sftp.js'
export { optionsFromUrl } from './sftp-url.js'
