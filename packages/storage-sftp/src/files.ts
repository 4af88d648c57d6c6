import type { Attributes, FileEntryWithStats, Stats } from 'ssh2'
import { hasStatus, status } from './errors.js'
import type { Session } from './session.js'

/** The requests of SFTP as functions. Every one rejects as {@link Session.call} does. */
type Call = Session['call']

/** What lies at `path` itself, links not followed; `undefined` if nothing does. */
export async function lstatIfPresent(call: Call, path: string, signal?: AbortSignal): Promise<Stats | undefined> {
  return ifPresent(call<Stats>((sftp, done) => sftp.lstat(path, done), signal))
}

/** `path` without links; `undefined` if nothing is there. */
export async function realPathIfPresent(call: Call, path: string, signal?: AbortSignal): Promise<string | undefined> {
  return ifPresent(call<string>((sftp, done) => sftp.realpath(path, done), signal))
}

/** Opens a file. A handle that comes after an abort is closed. */
export function openFile(
  call: Call,
  path: string,
  flags: 'r' | 'wx',
  attributes: Partial<Attributes>,
  signal?: AbortSignal,
): Promise<Buffer> {
  return call<Buffer>(
    (sftp, done) => sftp.open(path, flags, attributes as never, done),
    signal,
    (handle) => void closeHandle(call, handle).catch(() => {}),
  )
}

/** Opens a directory for {@link readEntries}. */
export function openDirectory(call: Call, path: string, signal?: AbortSignal): Promise<Buffer> {
  return call<Buffer>(
    (sftp, done) => sftp.opendir(path, done),
    signal,
    (handle) => void closeHandle(call, handle).catch(() => {}),
  )
}

/** The next entries of a directory; `undefined` after the last. */
export async function readEntries(
  call: Call,
  handle: Buffer,
  signal?: AbortSignal,
): Promise<readonly FileEntryWithStats[] | undefined> {
  try {
    return await call<FileEntryWithStats[]>((sftp, done) => sftp.readdir(handle, done), signal)
  } catch (error) {
    if (hasStatus(error, status.eof)) return undefined
    throw error
  }
}

export function statHandle(call: Call, handle: Buffer, signal?: AbortSignal): Promise<Stats> {
  return call<Stats>((sftp, done) => sftp.fstat(handle, done), signal)
}

export function closeHandle(call: Call, handle: Buffer): Promise<void> {
  return call<void>((sftp, done) => sftp.close(handle, done))
}

/** Removes a file. One that is not there is success. */
export async function removeFile(call: Call, path: string, signal?: AbortSignal): Promise<void> {
  await ifPresent(call<void>((sftp, done) => sftp.unlink(path, done), signal))
}

/** Gives a file another name; one that is taken is refused. */
export function moveFile(call: Call, from: string, to: string, signal?: AbortSignal): Promise<void> {
  return call<void>((sftp, done) => sftp.rename(from, to, done), signal)
}

/** Whether the server has no such request: the library throws, or the server says so. */
export function isUnsupported(error: unknown): boolean {
  return (
    hasStatus(error, status.unsupported) ||
    (error instanceof Error && /does not support this extended request/.test(error.message))
  )
}

async function ifPresent<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return undefined
    throw error
  }
}
