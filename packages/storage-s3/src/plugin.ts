import { definePlugin, type StoragePlugin } from '@holdfast/core'
import { s3OptionsSchema } from './options.js'
import { s3 } from './s3.js'
import { optionsFromUrl } from './s3-url.js'

/** What a program needs to offer S3 as a storage: see `Plugin`. */
export const s3Plugin: StoragePlugin<typeof s3OptionsSchema> = definePlugin({
  kind: 'storage',
  id: 's3',
  title: 'S3 and compatible services',
  schemes: ['s3'],
  options: s3OptionsSchema,
  fromUrl: optionsFromUrl,
  create: s3,
})
