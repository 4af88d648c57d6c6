import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackupError, createRunContext } from '@holdfast/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { useSshd } from '../test/sshd.js'
import { type SftpOptions, sftp } from './index.js'

const ctx = createRunContext()
const server = useSshd()
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-known-'))
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

/** Looks at an object that is not there: enough to sign in. */
async function signIn(options: SftpOptions): Promise<undefined | BackupError> {
  const storage = sftp(options)
  try {
    expect(await storage.stat('nothing', ctx)).toBeUndefined()
    return undefined
  } catch (error) {
    return error as BackupError
  } finally {
    await storage.close?.()
  }
}

/** A known_hosts file of these lines. */
function knownHosts(...lines: readonly string[]): string {
  const path = join(mkdtempSync(join(directory, 'file-')), 'known_hosts')
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

describe('signing in', () => {
  it('by a key, and by a key with a passphrase', async () => {
    const { text: privateKey, passphrase } = server.sshd.lockedKey
    expect(await signIn(server.options())).toBeUndefined()
    expect(await signIn(server.options({ privateKey: { file: server.sshd.key.path } }))).toBeUndefined()
    expect(await signIn(server.options({ privateKey, passphrase }))).toBeUndefined()
  })

  it('by an agent', async () => {
    const socket = join(directory, 'agent')
    const said = execFileSync('ssh-agent', ['-a', socket]).toString()
    try {
      execFileSync('ssh-add', [server.sshd.key.path], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' })
      expect(await signIn(server.options({ privateKey: undefined, agent: socket }))).toBeUndefined()
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]))
    }
  })

  describe('as ssh does, where nothing is named', () => {
    const nothing = (): SftpOptions => server.options({ privateKey: undefined })
    function home(...keys: readonly { readonly path: string }[]): string {
      const made = mkdtempSync(join(directory, 'home-'))
      mkdirSync(join(made, '.ssh'))
      for (const [index, { path }] of keys.entries()) {
        copyFileSync(path, join(made, '.ssh', ['id_ed25519', 'id_ecdsa', 'id_rsa'][index] ?? ''))
      }
      return made
    }
    beforeEach(() => {
      vi.stubEnv('SSH_AUTH_SOCK', undefined)
    })
    afterEach(() => {
      vi.unstubAllEnvs()
    })

    it('by the usual key; one with a passphrase is passed over', async () => {
      vi.stubEnv('HOME', home(server.sshd.key))
      expect(await signIn(nothing())).toBeUndefined()
      vi.stubEnv('HOME', home(server.sshd.lockedKey, server.sshd.key))
      expect(await signIn(nothing())).toBeUndefined()
      vi.stubEnv('HOME', home(server.sshd.strangerKey))
      expect((await signIn(nothing()))?.message).toContain('the usual key or agent was refused')
    })

    it('by the agent of the environment, also where it is asked for', async () => {
      const socket = join(directory, 'usual-agent')
      const said = execFileSync('ssh-agent', ['-a', socket]).toString()
      try {
        const env = { ...process.env, SSH_AUTH_SOCK: socket }
        execFileSync('ssh-add', [server.sshd.key.path], { env, stdio: 'pipe' })
        vi.stubEnv('SSH_AUTH_SOCK', socket)
        vi.stubEnv('HOME', home())
        expect(await signIn(nothing())).toBeUndefined()
        expect(await signIn({ ...nothing(), agent: true })).toBeUndefined()
      } finally {
        process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]))
      }
    })

    it('and where there is nothing, it says what to set', async () => {
      vi.stubEnv('HOME', home())
      const error = await signIn(nothing())
      expect(error).toMatchObject({ code: 'storage-config-invalid', hint: expect.stringContaining('SFTP_PRIVATE_KEY') })
      const agent = await signIn({ ...nothing(), agent: true })
      expect(agent).toMatchObject({ code: 'storage-config-invalid', hint: expect.stringContaining('ssh-agent') })
    })

    it('and the known hosts of the user count, where they exist', async () => {
      const user = home(server.sshd.key)
      vi.stubEnv('HOME', user)
      const usual = { ...nothing(), hostFingerprint: undefined }
      expect((await signIn(usual))?.message).toContain('is not known')
      writeFileSync(
        join(user, '.ssh/known_hosts'),
        `[127.0.0.1]:${server.sshd.port} ${server.sshd.hostKey.publicKey}\n`,
      )
      expect(await signIn(usual)).toBeUndefined()
    })
  })

  it.each<[string, () => Partial<SftpOptions>, string, RegExp]>([
    [
      'a key that is not let in',
      () => ({ privateKey: server.sshd.strangerKey.text }),
      'storage-denied',
      /the key was refused/,
    ],
    [
      'a wrong password',
      () => ({ privateKey: undefined, password: 'not-the-password' }),
      'storage-denied',
      /the password was refused/,
    ],
    [
      'a key without its passphrase',
      () => ({ privateKey: server.sshd.lockedKey.text }),
      'storage-config-invalid',
      /has a passphrase/,
    ],
    [
      'a key with another passphrase',
      () => ({ privateKey: server.sshd.lockedKey.text, passphrase: 'not-the-passphrase' }),
      'storage-config-invalid',
      /does not fit/,
    ],
    ['what is no key', () => ({ privateKey: 'not a key at all' }), 'storage-config-invalid', /cannot be read/],
    [
      'an agent that is not there',
      () => ({ privateKey: undefined, agent: '/nowhere' }),
      'storage-denied',
      /the agent was refused/,
    ],
  ])('refused: %s', async (_, options, code, message) => {
    const error = await signIn(server.options(options()))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(JSON.stringify([error?.message, error?.hint])).not.toMatch(/not-the|correct horse|PRIVATE/)
  })

  it('a port where nobody listens is unavailable, and worth another try', async () => {
    expect(await signIn(server.options({ port: 1 }))).toMatchObject({ code: 'unavailable', retryable: true })
  })
})

describe('the host key', () => {
  const unpinned = (file: string): SftpOptions => server.options({ hostFingerprint: undefined, knownHosts: file })
  const name = (): string => `[127.0.0.1]:${server.sshd.port}`

  it('in known_hosts, plain, hashed, or without its port', async () => {
    const { publicKey } = server.sshd.hostKey
    const hashed = knownHosts(`${name()} ${publicKey}`)
    execFileSync('ssh-keygen', ['-H', '-f', hashed], { stdio: 'pipe' })
    for (const file of [knownHosts(`${name()} ${publicKey}`), hashed, knownHosts(`127.0.0.1 ${publicKey}`)]) {
      expect(await signIn(unpinned(file))).toBeUndefined()
    }
  })

  it('not known: refused, with the fingerprint and how to pin it', async () => {
    const error = await signIn(unpinned(knownHosts(`elsewhere ${server.sshd.hostKey.publicKey}`)))
    expect(error).toMatchObject({ code: 'storage-config-invalid', message: expect.stringContaining('is not known') })
    expect(error?.message).toContain(server.sshd.fingerprint)
    expect(error?.hint).toContain(`hostFingerprint: '${server.sshd.fingerprint}'`)
    expect(error?.hint).toContain('ssh-keyscan')
  })

  it('changed: refused, with both fingerprints, before anything is sent', async () => {
    const other = server.sshd.makeKey('changed')
    const before = server.sshd.log.length
    const error = await signIn(unpinned(knownHosts(`${name()} ${other.publicKey}`)))
    expect(error).toMatchObject({ code: 'storage-identity', message: expect.stringContaining('has changed') })
    expect(error?.message).toContain(server.sshd.fingerprint)
    expect(server.sshd.log.slice(before).join('\n')).not.toContain('publickey')
  })

  it('revoked: refused', async () => {
    const { publicKey } = server.sshd.hostKey
    const error = await signIn(unpinned(knownHosts(`@revoked ${name()} ${publicKey}`, `${name()} ${publicKey}`)))
    expect(error).toMatchObject({ code: 'storage-identity', message: expect.stringContaining('is revoked') })
  })

  it('not the one that is pinned: refused, even where it is known', async () => {
    const file = knownHosts(`${name()} ${server.sshd.hostKey.publicKey}`)
    const hostFingerprint = `SHA256:${'A'.repeat(43)}`
    const error = await signIn({ ...unpinned(file), hostFingerprint })
    expect(error).toMatchObject({ code: 'storage-identity', message: expect.stringContaining('is pinned') })
    expect(error?.message).toContain(server.sshd.fingerprint)
  })

  it('a file that is not there is an error where it is named', async () => {
    expect(await signIn(unpinned('/nowhere/known_hosts'))).toMatchObject({ code: 'storage-config-invalid' })
  })
})

describe('a server that lets in by password, and has host keys of three types', () => {
  const password = 'right & "proper" pässword'
  const open = useSshd({ password, hostKeyTypes: ['ecdsa', 'rsa'] })
  const asking = useSshd({
    password,
    settings: [
      'UsePAM yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication yes',
      'PubkeyAuthentication no',
    ],
  })
  const byPassword = (of: typeof open, more: Partial<SftpOptions> = {}): SftpOptions =>
    of.options({ privateKey: undefined, password, ...more })

  it('by the right password, and no other', async () => {
    expect(await signIn(byPassword(open))).toBeUndefined()
    const error = await signIn(byPassword(open, { password: 'right & "proper" password' }))
    expect(error).toMatchObject({ code: 'storage-denied', message: expect.stringMatching(/the password was refused/) })
    expect(JSON.stringify([error?.message, error?.hint])).not.toContain('proper')
  })

  it('by the right password, where the server asks for it by a dialogue', async () => {
    expect(await signIn(byPassword(asking))).toBeUndefined()
    expect(await signIn(byPassword(asking, { password: 'wrong' }))).toMatchObject({ code: 'storage-denied' })
  })

  it('by the password, where the key is not let in', async () => {
    expect(await signIn(byPassword(open, { privateKey: open.sshd.strangerKey.text }))).toBeUndefined()
  })

  const types = ['ed25519', 'ecdsa', 'rsa'] as const
  const keyOf = (type: (typeof types)[number]): { publicKey: string; path: string } => {
    const { hostKey, moreHostKeys } = open.sshd
    return [hostKey, ...moreHostKeys][types.indexOf(type)] ?? hostKey
  }
  const fingerprintOf = (type: (typeof types)[number]): string =>
    execFileSync('ssh-keygen', ['-lf', `${keyOf(type).path}.pub`])
      .toString()
      .split(' ')[1] ?? ''

  it.each(types)('whose %s key alone is known is asked for that one', async (type) => {
    const file = knownHosts(`[127.0.0.1]:${open.sshd.port} ${keyOf(type).publicKey}`)
    expect(await signIn(byPassword(open, { hostFingerprint: undefined, knownHosts: file }))).toBeUndefined()
  })

  it.each(types)('whose %s key alone is pinned is asked for that one', async (type) => {
    expect(await signIn(byPassword(open, { hostFingerprint: fingerprintOf(type) }))).toBeUndefined()
  })

  it('none of whose keys is pinned or known is refused, and never sees the password', async () => {
    const before = open.sshd.log.length
    const unknown = { hostFingerprint: `SHA256:${'A'.repeat(43)}` }
    expect(await signIn(byPassword(open, unknown))).toMatchObject({ code: 'storage-identity' })
    const other = open.sshd.makeKey('other', 'rsa')
    const file = knownHosts(`[127.0.0.1]:${open.sshd.port} ${other.publicKey}`)
    const changed = await signIn(byPassword(open, { hostFingerprint: undefined, knownHosts: file }))
    expect(changed).toMatchObject({ code: 'storage-identity', message: expect.stringContaining('ssh-rsa SHA256:') })
    expect(open.sshd.log.slice(before).join('\n')).not.toMatch(/password/i)
  })
})
