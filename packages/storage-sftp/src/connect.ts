import { isBackupError } from '@holdfast/core'
import type { Client, ConnectConfig } from 'ssh2'
import { authentication } from './authentication.js'
import { type ConnectFailure, connectError } from './errors.js'
import { type HostKeyCheck, hostKeyCheck } from './host-key.js'
import type { ResolvedSftpOptions } from './options.js'
import { openRoot } from './root.js'
import { type Session, watchSession } from './session.js'

/** A session together with what ends it. */
export interface OpenSession {
  readonly session: Session
  hangUp(): void
}

/**
 * Connects, checks the host key, signs in, starts SFTP, and finds the directory of the storage.
 *
 * @throws {BackupError} `storage-identity` for a host key that has changed; `storage-config-invalid` for one that is
 *   not known; `storage-denied`; `unavailable`.
 */
export async function connect(options: ResolvedSftpOptions, signal: AbortSignal): Promise<OpenSession> {
  const config = { ...(await authentication(options)), ...timing(options) }
  const { attempts, refusal } = await hostKeyCheck(options)
  let refused: unknown
  for (const algorithms of attempts) {
    try {
      return await attempt(config, { algorithms, refusal }, options, signal)
    } catch (error) {
      // Another key of the server may be the one that is pinned, or there may be none of that type.
      const isOther = isBackupError(error, 'storage-identity')
      if (!isOther && !(refused && isBackupError(error, 'storage-config-invalid'))) throw error
      refused ??= error
    }
  }
  throw refused
}

async function attempt(
  config: ConnectConfig,
  { algorithms, refusal: refusalOf }: Pick<HostKeyCheck, 'refusal'> & { readonly algorithms: readonly string[] },
  options: ResolvedSftpOptions,
  signal: AbortSignal,
): Promise<OpenSession> {
  const { default: SftpClient } = await import('ssh2-sftp-client')
  signal.throwIfAborted()
  const sftpClient = new SftpClient('holdfast', quiet)
  // The methods of the client open files and start streams of their own, follow links, and know neither exclusive
  // opening nor fsync nor free space: it makes the connection, and the session beneath it does the work.
  const ssh = (sftpClient as unknown as { readonly client: Client }).client
  const hangUp = (): void => void ssh.destroy()
  const seen: { refusal?: Error; failure?: ConnectFailure } = {}
  ssh.on('error', (error: ConnectFailure) => {
    if (error.level !== 'agent') seen.failure ??= error // what follows it tells that nothing else let us in
  })
  ssh.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => {
    finish(prompts.map(() => config.password ?? ''))
  })
  signal.addEventListener('abort', hangUp, { once: true })
  try {
    const sftp = await sftpClient.connect({
      ...config,
      algorithms: { serverHostKey: [...algorithms] as never },
      hostVerifier: (key: Buffer) => {
        const refusal = refusalOf(key)
        if (refusal) seen.refusal = refusal
        return refusal === undefined
      },
    })
    ssh.setNoDelay(true) // requests are small and wait for answers: Nagle's delay would add 40 ms to each
    const control = watchSession(sftp, options, hangUp)
    ssh.on('close', () => control.lose(seen.failure?.message ?? 'the server closed it', seen.failure))
    const { call } = control
    const root = await openRoot(call, options, signal)
    const session: Session = {
      root,
      call,
      get isLost() {
        return control.isLost
      },
    }
    return { session, hangUp }
  } catch (error) {
    hangUp()
    signal.throwIfAborted()
    if (seen.refusal) throw seen.refusal
    throw isBackupError(error) ? error : connectError(seen.failure ?? (error as ConnectFailure), options)
  } finally {
    signal.removeEventListener('abort', hangUp)
  }
}

/** Its events are heard elsewhere; by default the library would print them. */
const quiet = { error() {}, end() {}, close() {} } as never

function timing({ host, port, connectTimeout, keepAlive }: ResolvedSftpOptions): ConnectConfig {
  return { host, port, readyTimeout: connectTimeout, keepaliveInterval: keepAlive, keepaliveCountMax: 4 }
}
