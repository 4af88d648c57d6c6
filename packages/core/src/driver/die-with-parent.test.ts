import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const given = { command: '/bin/true', args: ['-x'] }
let directory: string

beforeEach(() => {
  vi.resetModules()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-setpriv-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
})

async function wrap(): Promise<unknown> {
  const { dieWithParent } = await import('./die-with-parent.js')
  return dieWithParent(given)
}

describe.runIf(process.platform === 'linux')('dieWithParent', () => {
  it('puts setpriv before the command', async () => {
    expect(await wrap()).toEqual({
      command: expect.stringMatching(/\/setpriv$/),
      args: ['--pdeathsig', 'KILL', '--', '/bin/true', '-x'],
    })
  })

  it('leaves the command as it is where there is no setpriv', async () => {
    vi.stubEnv('PATH', directory)
    expect(await wrap()).toEqual(given)
  })

  it('tells setpriv nothing of the environment when it tries it', async () => {
    const [program, said] = [join(directory, 'setpriv'), join(directory, 'environment')]
    writeFileSync(program, `#!/bin/sh\n/usr/bin/env > ${said}\n`)
    chmodSync(program, 0o755)
    vi.stubEnv('PATH', directory)
    vi.stubEnv('PGPASSWORD', 'a secret')
    await wrap()
    expect(readFileSync(said, 'utf8')).not.toMatch(/PGPASSWORD|secret/)
  })

  it('leaves the command as it is where setpriv cannot do it', async () => {
    const program = join(directory, 'setpriv')
    writeFileSync(program, '#!/bin/sh\necho "unrecognized option: pdeathsig" >&2; exit 1\n')
    chmodSync(program, 0o755)
    vi.stubEnv('PATH', directory)
    expect(await wrap()).toEqual(given)
  })
})

describe('dieWithParent elsewhere', () => {
  it('does not look for setpriv', async () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
    expect(await wrap()).toEqual(given)
  })
})

describe('killOnExit', () => {
  it('kills what lives when this process exits, and listens no longer than needed', async () => {
    const { killOnExit } = await import('./die-with-parent.js')
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw new Error('ESRCH')
    })
    const before = process.listenerCount('exit')
    const forgetFirst = killOnExit(4_000_001)
    const forgetSecond = killOnExit(4_000_002)
    expect(process.listenerCount('exit')).toBe(before + 1)
    process.listeners('exit').at(-1)?.(0)
    expect(kill.mock.calls).toEqual([
      [-4_000_001, 'SIGKILL'],
      [-4_000_002, 'SIGKILL'],
    ])
    forgetFirst()
    forgetSecond()
    expect(process.listenerCount('exit')).toBe(before)
  })
})
