import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { readyOrFailure } from './ready-or-failure.ts'

/** What a test may ask of its server. */
export interface SshdOptions {
  /** Arguments of `sftp-server`, for example `['-P', 'posix-rename']` to take a request away. */
  readonly sftpArguments?: readonly string[]
  /** Further lines of sshd_config. */
  readonly settings?: readonly string[]
  /**
   * Lets the user in by this password too. Only root can test that: the server runs in a mount namespace of its own,
   * where the user has this password.
   */
  readonly password?: string
  /** Host keys beside the ed25519 one, made in the temp directory. */
  readonly hostKeyTypes?: readonly ('ecdsa' | 'rsa')[]
}

/** A key pair on disk. */
export interface SshKey {
  readonly path: string
  /** The private key. */
  readonly text: string
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string
}

/** A real sshd of the test's own: a free loopback port, keys and files in a temp directory, gone after `stop()`. */
export interface Sshd extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Who runs the test: a server that is not root knows nobody else. */
  readonly username: string
  /** A key that is let in. */
  readonly key: SshKey
  /** The same key under a passphrase. */
  readonly lockedKey: SshKey & { readonly passphrase: string }
  /** A key that is not let in. */
  readonly strangerKey: SshKey
  readonly hostKey: SshKey
  /** Those of {@link SshdOptions.hostKeyTypes}, in that order. */
  readonly moreHostKeys: readonly SshKey[]
  /** `SHA256:…` of the host key, as ssh-keygen says. */
  readonly fingerprint: string
  /** An empty directory for what is stored. */
  readonly directory: string
  /** What the server said so far. */
  readonly log: readonly string[]
  /** Makes a further key pair in the temp directory. */
  makeKey(name: string, type?: 'ed25519' | 'ecdsa' | 'rsa', passphrase?: string): SshKey
  stop(): Promise<void>
}

const sshdPath = '/usr/sbin/sshd'

/**
 * Starts an sshd for tests. Only keys are let in; passwords are asked for, and always wrong where none is given.
 *
 * @throws Error with what to install, where there is no sshd on this machine.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  if (!existsSync(sshdPath)) throw new Error('No SSH server on this machine: apt-get install openssh-server')
  // sshd as root wants this directory, which only its service makes.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const root = mkdtempSync(join(tmpdir(), 'holdfast-sshd-'))
  try {
    const makeKey: Sshd['makeKey'] = (name, type = 'ed25519', passphrase = '') => {
      const path = join(root, name)
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', path], { stdio: 'pipe' })
      return { path, text: readFileSync(path, 'utf8'), publicKey: readFileSync(`${path}.pub`, 'utf8').trim() }
    }
    const passphrase = 'correct horse'
    const keys = {
      hostKey: makeKey('host_key'),
      key: makeKey('user_key'),
      lockedKey: { ...makeKey('locked_key', 'ed25519', passphrase), passphrase },
      strangerKey: makeKey('stranger_key'),
    }
    const moreHostKeys = (options.hostKeyTypes ?? []).map((type) => makeKey(`host_key_${type}`, type))
    const authorized = [keys.key, keys.lockedKey].map(({ publicKey }) => publicKey).join('\n')
    writeFileSync(join(root, 'authorized_keys'), `${authorized}\n`, { mode: 0o600 })
    const directory = join(root, 'files')
    mkdirSync(directory, { mode: 0o700 })
    const settings = [...moreHostKeys.map(({ path }) => `HostKey ${path}`), ...(options.settings ?? [])]
    const { child, port, log } = await startOnFreePort(root, { ...options, settings })
    const stop = stopper(child, root)
    return {
      host: '127.0.0.1',
      port,
      username: userInfo().username,
      ...keys,
      moreHostKeys,
      fingerprint: fingerprintOf(keys.hostKey),
      directory,
      log,
      makeKey,
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    throw error
  }
}

function fingerprintOf({ path }: SshKey): string {
  return (
    execFileSync('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${path}.pub`])
      .toString()
      .split(' ')[1] ?? ''
  )
}

async function startOnFreePort(
  root: string,
  options: SshdOptions,
): Promise<{ child: ChildProcess; port: number; log: string[] }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    writeFileSync(join(root, 'sshd_config'), configOf(root, port, options))
    const log: string[] = []
    const sshd = [sshdPath, '-D', '-e', '-f', join(root, 'sshd_config')]
    const [command = '', ...args] = options.password === undefined ? sshd : withPassword(root, options.password, sshd)
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const failure = await readyOrFailure(child, { server: 'sshd', sign: 'Server listening on', log })
    if (failure === undefined) return { child, port, log }
    if (attempt === 5 || !/Bind to port|Address already in use/.test(failure)) throw new Error(failure)
  }
}

/** A command that runs where the user has a password: in a mount namespace with a file of passwords of its own. */
function withPassword(root: string, password: string, command: readonly string[]): string[] {
  if (process.getuid?.() !== 0)
    throw new Error('Only root can give a user a password for a test: run the tests as root')
  const script = 'print crypt($ENV{PASSWORD}, q($6$holdfast))' // Debian always has perl; Node has no crypt(3)
  const hash = execFileSync('perl', ['-e', script], { env: { PASSWORD: password } }).toString()
  const { username } = userInfo()
  const others = readFileSync('/etc/shadow', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith(`${username}:`))
  writeFileSync(join(root, 'shadow'), [`${username}:${hash}:19000:0:99999:7:::`, ...others].join('\n'), { mode: 0o600 })
  const mounted = 'mount --bind "$0" /etc/shadow && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', mounted, join(root, 'shadow'), ...command]
}

function configOf(root: string, port: number, { sftpArguments = [], settings = [] }: SshdOptions): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(root, 'host_key')}`,
    `AuthorizedKeysFile ${join(root, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no', // the temp directory lies below one that everybody writes to
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication yes',
    'MaxStartups 100',
    'LogLevel VERBOSE',
    // Not sftp-server, which is the same code behind the user's shell: that reads its start-up files at every connection.
    `Subsystem sftp ${['internal-sftp', ...sftpArguments].join(' ')}`,
    ...settings,
    '',
  ].join('\n')
}

function stopper(child: ChildProcess, root: string): () => Promise<void> {
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow) // a test process that dies must not leave a server behind
  return async () => {
    process.off('exit', killNow)
    if (child.exitCode === null && child.signalCode === null) {
      // The log closes when the last session does: what matters is that nobody listens any more.
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
