import { definePlugin, type StoragePlugin } from '@holdfast/core'
import { sftpOptionsSchema } from './options.js'
import { sftp } from './sftp.js'
import { optionsFromUrl } from './sftp-url.js'

/** What a program needs to offer SFTP as a storage: see `Plugin`. */
export const sftpPlugin: StoragePlugin<typeof sftpOptionsSchema> = definePlugin({
  kind: 'storage',
  id: 'sftp',
  title: 'SFTP server',
  schemes: ['sftp'],
  options: sftpOptionsSchema,
  fromUrl: optionsFromUrl,
  create: sftp,
})
