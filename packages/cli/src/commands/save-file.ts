import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BackupError, type ByteStream, messageOf } from '@holdfast/core'

/** Where a download goes: a file of that name, or files of their own names in a directory. */
export type Destination = { readonly kind: 'file' | 'directory'; readonly path: string }

/**
 * Reads what `-o` says: a directory that is there or that ends in `/`, else a file. Default: the working directory.
 *
 * @throws {BackupError} `config-invalid` when there is no such directory.
 */
export function destinationFor(given: string | undefined, cwd: string): Destination {
  if (given === undefined) return { kind: 'directory', path: cwd }
  const path = resolve(cwd, given)
  if (isDirectory(path)) return { kind: 'directory', path }
  if (given.endsWith('/')) {
    throw new BackupError('config-invalid', {
      message: existsSync(path)
        ? `${path} is a file, and -o ${given} means a directory`
        : `There is no directory ${path}`,
      hint: existsSync(path)
        ? 'Leave the slash away to mean the file.'
        : 'Make it first, or leave the slash away to mean a file.',
    })
  }
  if (isDirectory(dirname(path))) return { kind: 'file', path }
  throw new BackupError('config-invalid', {
    message: `There is no directory ${dirname(path)}`,
    hint: 'Make it first.',
  })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/**
 * Writes a stream to a file that has its name only once it is whole and on disk. Readable by its owner alone.
 *
 * @param options - `force` is left out by commands that never overwrite: a key, or the sheet that holds one.
 * @throws {BackupError} `config-invalid` when the file is there and `force` is not set.
 */
export async function saveTo(
  destination: Destination,
  fileName: string,
  stream: ByteStream,
  options: { readonly force?: boolean; readonly signal: AbortSignal },
): Promise<{ readonly file: string; readonly bytes: number }> {
  const file = destination.kind === 'file' ? destination.path : join(destination.path, fileName)
  const mayForce = options.force !== undefined
  if (!options.force && existsSync(file)) throw taken(file, mayForce)
  const unfinished = join(dirname(file), `.${randomBytes(6).toString('hex')}.holdfast-part`)
  try {
    const bytes = await write(unfinished, stream, options.signal)
    if (options.force) await rename(unfinished, file)
    else await linkNew(unfinished, file, mayForce)
    return { file, bytes }
  } finally {
    await rm(unfinished, { force: true })
  }
}

async function write(path: string, stream: ByteStream, signal: AbortSignal): Promise<number> {
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new BackupError('config-invalid', {
      message: `No file can be made in ${dirname(path)}: ${messageOf(error)}`,
      hint: 'Name another place with -o.',
      cause: error,
    })
  })
  try {
    let bytes = 0
    for await (const chunk of stream) {
      signal.throwIfAborted()
      await handle.writeFile(chunk).catch((error: unknown) => cannotWrite(error, path))
      bytes += chunk.byteLength
    }
    await handle.sync().catch((error: unknown) => cannotWrite(error, path))
    return bytes
  } finally {
    await handle.close()
  }
}

function cannotWrite(error: unknown, path: string): never {
  throw new BackupError('config-invalid', {
    message: `Writing to ${dirname(path)} failed: ${messageOf(error)}`,
    hint: 'Make room there, or name another place with -o. What was written of the file is removed.',
    cause: error,
  })
}

/** Unlike a rename, a link fails where somebody else made the file meanwhile. */
async function linkNew(from: string, to: string, mayForce: boolean): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') throw taken(to, mayForce)
    if (existsSync(to)) throw taken(to, mayForce)
    await rename(from, to) // a file system without hard links
  }
}

function taken(file: string, mayForce: boolean): BackupError {
  return new BackupError('config-invalid', {
    message: `${file} is there already`,
    hint: mayForce ? 'Name another file with -o, or overwrite it with --force.' : 'Name another file with -o.',
  })
}
