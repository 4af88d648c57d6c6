import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CommandLine } from './die-with-parent.js'

const given = { command: '/bin/true', args: ['-x'] }
let directory: string

beforeEach(() => {
  vi.resetModules()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-stdbuf-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
})

async function wrap(command: CommandLine = given): Promise<CommandLine> {
  const { withLargeBuffers } = await import('./large-buffers.js')
  return withLargeBuffers(command)
}

/** The only program in the search path. */
function install(script: string): void {
  writeFileSync(join(directory, 'stdbuf'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(directory, 'stdbuf'), 0o755)
  vi.stubEnv('PATH', directory)
}

describe.runIf(process.platform === 'linux')('withLargeBuffers', () => {
  it('puts stdbuf before the command', async () => {
    expect(await wrap()).toEqual({
      command: expect.stringMatching(/\/stdbuf$/),
      args: ['-i65536', '-o65536', '/bin/true', '-x'],
    })
  })

  it('runs a command with its arguments as they are, and its exit code', async () => {
    const { command, args } = await wrap({ command: '/usr/bin/printf', args: ['%s|', 'a b', '-o1', '--', '$x'] })
    expect(execFileSync(command, [...args], { encoding: 'utf8' })).toBe('a b|-o1|--|$x|')
    const failing = await wrap({ command: '/bin/sh', args: ['-c', 'exit 7'] })
    expect(() => execFileSync(failing.command, [...failing.args])).toThrow(expect.objectContaining({ status: 7 }))
  })

  it.each([
    ['is none', undefined],
    ['is one that cannot do it', 'exit 125'],
    ['is one whose library does not fit', 'echo "object cannot be preloaded: ignored" >&2'],
  ])('leaves the command as it is where there %s', async (_, script) => {
    if (script === undefined) vi.stubEnv('PATH', directory)
    else install(script)
    expect(await wrap()).toEqual(given)
  })
})

describe('withLargeBuffers elsewhere', () => {
  it('does not look for stdbuf', async () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
    expect(await wrap()).toEqual(given)
  })
})
