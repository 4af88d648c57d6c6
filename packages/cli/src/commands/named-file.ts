import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { BackupError, type DumpFile, dumpFromStream, dumpOnDisk, dumpOnStorage } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { isSourceUrl, schemeOf } from '../configuration/plugins.js'
import type { Setup } from '../configuration/setup.js'
import { storageFromText } from '../configuration/storage-from-text.js'
import { urlText } from '../configuration/url-text.js'

/**
 * Whether the argument of `restore` names a file: `-`, the URL of an object, a path, or what lies there and cannot be
 * the name of a backup.
 *
 * @param from - The storages that are to be looked at. With one, a plain name is that of a backup: the job of
 *   `sqlite:./app.db` is called as the live file that lies here.
 */
export function namesFile(
  argument: string | undefined,
  { cwd }: { readonly cwd: string },
  from?: readonly string[],
): argument is string {
  if (argument === undefined) return false
  if (argument === '-' || isSourceUrl(argument) || /[\\/]/.test(argument)) return true
  if (from !== undefined) return false
  return argument.includes('.') && (statSync(resolve(cwd, argument), { throwIfNoEntry: false })?.isFile() ?? false)
}

/** A file to restore; disposing closes the storage that it is on. */
export interface OpenedFile extends AsyncDisposable {
  readonly file: DumpFile
}

/** Opens what {@link namesFile} has found to name a file. */
export async function openNamedFile(argument: string, setup: Setup, { world }: Cli): Promise<OpenedFile> {
  const nothing = { async [Symbol.asyncDispose]() {} }
  if (argument === '-') {
    if (world.stdin.isTTY) throw nothingComesIn()
    return { file: dumpFromStream('standard input', inputOf(world)), ...nothing }
  }
  const scheme = schemeOf(argument)
  if (scheme === undefined) return { file: dumpOnDisk(resolve(world.cwd, argument)), ...nothing }
  if (scheme === 'file') return { file: dumpOnDisk(urlText(new URL(argument).pathname, urlOfDump)), ...nothing }
  const { place, key } = splitUrl(argument)
  const storage = await storageFromText(place, { cwd: world.cwd, read: setup.read, create: false })
  return { file: dumpOnStorage(storage, key), [Symbol.asyncDispose]: async () => storage.close?.() }
}

const urlOfDump = 'The URL of the dump'

function nothingComesIn(): BackupError {
  return new BackupError('config-invalid', {
    message: 'Standard input is a terminal: no dump comes in there',
    hint: 'Redirect a file (< FILE), or pipe a program into it, with --yes as nobody can be asked then.',
  })
}

async function* inputOf({ stdin }: Cli['world']): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) yield Buffer.from(chunk)
}

/** `s3://bucket/prefix/key?region=x` → the storage `s3://bucket/prefix?region=x`, and the key. */
function splitUrl(url: string): { readonly place: string; readonly key: string } {
  const [path = '', query] = url.split(/(?=\?)/s)
  const cut = path.lastIndexOf('/')
  return { place: path.slice(0, cut) + (query ?? ''), key: urlText(path.slice(cut + 1), urlOfDump) }
}
