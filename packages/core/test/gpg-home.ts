import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A keyring of its own, with the agent that gpg starts for it. */
export interface GpgHome {
  readonly homedir: string
  /** Makes a key pair; returns its fingerprint. */
  generate(email: string, passphrase?: string): string
  exportPublic(email: string): Buffer
  import(keys: Buffer): void
  run(args: readonly string[], input?: Buffer): Buffer
  /** Ends the agent, and with it the passphrases that it remembers. */
  forget(): void
  remove(): void
}

export function gpgHome(): GpgHome {
  const homedir = mkdtempSync(join(tmpdir(), 'hfgpg-')) // short: it holds a socket
  const run = (args: readonly string[], input: Buffer = Buffer.alloc(0)): Buffer =>
    execFileSync('gpg', ['--homedir', homedir, '--batch', '--quiet', '--pinentry-mode', 'loopback', ...args], {
      input,
      maxBuffer: 1 << 30,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const forget = (): void => void spawnSync('gpgconf', ['--homedir', homedir, '--kill', 'all'])
  return {
    homedir,
    run,
    forget,
    generate(email, passphrase = '') {
      run(['--passphrase', passphrase, '--quick-generate-key', `Test <${email}>`, 'default', 'default', 'never'])
      const listed = run(['--with-colons', '--list-keys', email]).toString()
      return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? ''
    },
    exportPublic: (email) => run(['--export', email]),
    import: (keys) => void run(['--import'], keys),
    remove() {
      forget()
      rmSync(homedir, { recursive: true, force: true })
    },
  }
}
