import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { minimalEnvironment } from './child-environment.js'
import { findProgram } from './find-program.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-find-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

function place(folder: string, mode: number): string {
  mkdirSync(join(directory, folder), { recursive: true })
  const path = join(directory, folder, 'tool')
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, mode)
  return path
}

describe('findProgram', () => {
  it('takes the first that can be executed', () => {
    place('a', 0o644)
    const second = place('b', 0o755)
    place('c', 0o755)
    mkdirSync(join(directory, 'd', 'tool'), { recursive: true })
    const directories = ['d', 'missing', 'a', 'b', 'c'].map((name) => join(directory, name))
    expect(findProgram('tool', directories)).toBe(second)
    expect(findProgram('other', directories)).toBeUndefined()
  })

  it('looks through PATH by default', () => {
    const path = place('bin', 0o755)
    vi.stubEnv('PATH', ['', '/missing', join(directory, 'bin')].join(delimiter))
    expect(findProgram('tool')).toBe(path)
    vi.stubEnv('PATH', undefined)
    expect(findProgram('tool')).toBeUndefined()
  })
})

describe('minimalEnvironment', () => {
  it('takes over nothing but where programs, temporary files, compiled code and files of the user are', () => {
    vi.stubEnv('PGPASSWORD', 'secret')
    vi.stubEnv('PATH', '/here')
    vi.stubEnv('TMPDIR', '/there')
    vi.stubEnv('HOME', '/home')
    vi.stubEnv('NODE_COMPILE_CACHE', '/cache')
    expect(minimalEnvironment()).toEqual({
      ...{ PATH: '/here', TMPDIR: '/there', HOME: '/home', NODE_COMPILE_CACHE: '/cache' },
      ...{ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    })
  })

  it('knows where programs usually are', () => {
    vi.stubEnv('PATH', undefined)
    vi.stubEnv('TMPDIR', undefined)
    vi.stubEnv('HOME', undefined)
    vi.stubEnv('NODE_COMPILE_CACHE', undefined)
    expect(minimalEnvironment()).toEqual({
      PATH: expect.stringContaining('/usr/bin'),
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
    })
  })
})
