import { resolve } from 'node:path'
import { BackupError, type Storage } from '@holdfast/core'
import type { ReadVariable } from './environment-variables.js'
import { s3Settings } from './from-environment.js'
import { schemeOf, storagePlugins } from './plugins.js'

/** What a text is read against. */
export interface StorageTextContext {
  /** Relative paths start here. */
  readonly cwd: string
  /** Keys and endpoint of S3, where the URL does not say them. */
  readonly read?: ReadVariable
  /** What the storage is called. Default: the text. */
  readonly name?: string
  /** `false`: a directory that is not there is an error. Default: it is made. */
  readonly create?: boolean
}

/**
 * A storage from `./directory`, `file:///directory` or `s3://bucket/prefix?region=&endpoint=`.
 *
 * @throws {BackupError} `storage-config-invalid`.
 */
export async function storageFromText(text: string, context: StorageTextContext): Promise<Storage> {
  const name = context.name ?? nameOf(text)
  const create = context.create === false ? { create: false } : {}
  const [local] = storagePlugins
  const scheme = schemeOf(text)
  if (scheme === undefined) {
    if (text.trim() === '') throw unknown('The storage has no name')
    return (await local.load()).create({ path: resolve(context.cwd, text), name, ...create })
  }
  const plugin = storagePlugins.find(({ schemes }) => schemes.includes(scheme))
  if (!plugin) throw unknown(`No storage here answers to ${scheme}:// URLs`)
  const { fromUrl, create: make } = await plugin.load()
  const fromEnvironment = plugin.id === 's3' && context.read ? s3Settings(context.read) : {}
  const own = plugin === local ? create : {}
  return make({ ...fromEnvironment, ...(fromUrl(text) as object), ...own, name })
}

/** As it was typed: parameters tell buckets of one name apart. `./backups/` → `./backups`. */
function nameOf(text: string): string {
  return text.includes('?') ? text : text.replace(/(?<=[^/])\/+$/, '')
}

function unknown(message: string): BackupError {
  const schemes = storagePlugins.flatMap((plugin) => plugin.schemes.map((scheme) => `${scheme}://`))
  return new BackupError('storage-config-invalid', {
    message,
    hint: `Name a directory such as ./backups, or a URL: ${schemes.join(', ')}.`,
  })
}
