import { explained, full, hasStatus, status } from './errors.js'
import { isUnsupported } from './files.js'
import type { Session } from './session.js'

/** What the server says of the file system of the storage. */
interface FileSystem {
  readonly f_frsize: number
  readonly f_bavail: number
  readonly f_favail: number
  readonly f_files: number
}

/** Less room than this is none: a write that failed has left some bytes over. */
const asGoodAsNone = 1024 * 1024

/** Bytes that can still be written; `undefined` where the server does not say. */
export async function freeSpace(session: Session, signal?: AbortSignal): Promise<number | undefined> {
  const found = await explained(`Looking at ${session.root}`, fileSystem(session, signal))
  return found && found.f_bavail * found.f_frsize
}

/**
 * What `work` resolves to. SFTP has no word for a disk that is full: OpenSSH says "Failure" of everything that it has
 * no word for. So a failure to write is followed by a look at the room that is left.
 */
export async function explainFull<Result>(doing: string, session: Session, work: Promise<Result>): Promise<Result> {
  try {
    return await explained(doing, work)
  } catch (error) {
    const cause = (error as Error).cause
    if (!hasStatus(cause, status.failure) || !(await isFull(session))) throw error
    throw full(doing, (cause as Error).message, cause)
  }
}

async function isFull(session: Session): Promise<boolean> {
  try {
    const found = await fileSystem(session)
    if (!found) return false
    return found.f_bavail * found.f_frsize < asGoodAsNone || (found.f_files > 0 && found.f_favail === 0)
  } catch {
    return false // the failure itself is the one worth telling
  }
}

async function fileSystem({ call, root }: Session, signal?: AbortSignal): Promise<FileSystem | undefined> {
  try {
    return await call<FileSystem>((sftp, done) => sftp.ext_openssh_statvfs(root || '/', done), signal)
  } catch (error) {
    if (isUnsupported(error)) return undefined
    throw error
  }
}
