import { resolve } from 'node:path'
import { BackupError, type Storage } from '@holdfast/core'
import type { ReadVariable } from './environment-variables.js'
import { s3Settings } from './from-environment.js'
import { schemeOf, storagePlugins } from './plugins.js'
import { sftpSettings } from './sftp-from-environment.js'

/** What a text is read against. */
export interface StorageTextContext {
  /** Relative paths start here. */
  readonly cwd: string
  /** Keys and endpoint of S3, and how to sign in to SFTP, where the URL does not say them. */
  readonly read?: ReadVariable
  /** What the storage is called. Default: the text. */
  readonly name?: string
  /** `false`: a directory that is not there is an error. Default: it is made. */
  readonly create?: boolean
}

/**
 * A storage from `./directory`, `file:///directory`, `s3://bucket/prefix?region=&endpoint=` or
 * `sftp://user@host/dir`.
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
    if (/^[a-z][a-z0-9+.-]+:[\\/]/i.test(text)) throw mistypedUrl(text)
    return (await local.load()).create({ path: resolve(context.cwd, text), name, ...create })
  }
  const plugin = storagePlugins.find(({ schemes }) => schemes.includes(scheme))
  if (!plugin) throw unknown(`No storage here answers to ${scheme}:// URLs`)
  const { fromUrl, create: make } = await plugin.load()
  const settings = { s3: s3Settings, sftp: sftpSettings }[plugin.id]
  const fromEnvironment = context.read && settings ? settings(context.read) : {}
  const own = plugin === local || plugin.id === 'sftp' ? create : {}
  return make({ ...fromEnvironment, ...(fromUrl(text) as object), ...own, name })
}

/** As it was typed, but for a password: parameters tell buckets of one name apart. `./backups/` → `./backups`. */
function nameOf(text: string): string {
  const open = text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:/?#@]*):[^/]*@/i, '$1@')
  return open.includes('?') ? open : open.replace(/(?<=[^/])\/+$/, '')
}

/** Taken for a directory, it would keep on this machine what was meant for another. */
function mistypedUrl(text: string): BackupError {
  const url = nameOf(text.replace(/:[\\/]+/, '://'))
  const typed = url.replace('://', ':/')
  return new BackupError('storage-config-invalid', {
    message: `${typed} is no URL: two slashes follow the colon`,
    hint: `Write it as ${url}; a directory of that name is ./${typed}.`,
  })
}

function unknown(message: string): BackupError {
  const schemes = storagePlugins.flatMap((plugin) => plugin.schemes.map((scheme) => `${scheme}://`))
  return new BackupError('storage-config-invalid', {
    message,
    hint: `Name a directory such as ./backups, or a URL: ${schemes.join(', ')}.`,
  })
}
