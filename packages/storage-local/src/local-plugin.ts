import { fileURLToPath } from 'node:url'
import { BackupError, definePlugin, type StoragePlugin } from '@holdfast/core'
import { type LocalOptions, localOptions } from './local-options.js'
import { local } from './local-storage.js'

/** The local storage as a plugin: `file:///var/backups`. */
export const localPlugin: StoragePlugin<typeof localOptions> = definePlugin({
  kind: 'storage',
  id: 'local',
  title: 'Local directory',
  schemes: ['file'],
  options: localOptions,
  fromUrl,
  create: local,
})

function fromUrl(text: string): LocalOptions {
  try {
    const url = new URL(text)
    if (url.search || url.hash) throw new TypeError('a file URL takes no parameters')
    return { path: fileURLToPath(url) }
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `${text} is not the URL of a local directory: ${(error as Error).message}`,
      hint: 'Write it as file:///absolute/path, with three slashes, or give a plain path such as ./backups.',
      cause: error,
    })
  }
}
