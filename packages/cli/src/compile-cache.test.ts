import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { privateDirectory } from './compile-cache.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

describe('the directory of the compile cache', () => {
  it('lies in the caches of the user, for nobody else', () => {
    const directory = join(home, '.cache/holdfast/compile-cache')
    expect(privateDirectory({ HOME: home })).toBe(directory)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(privateDirectory({ HOME: home })).toBe(directory)
    expect(privateDirectory({ HOME: '/nowhere', XDG_CACHE_HOME: join(home, 'x') })).toBe(
      join(home, 'x/holdfast/compile-cache'),
    )
  })

  it('is none where there is no home, or none that can be written to', () => {
    writeFileSync(join(home, 'file'), '')
    expect(privateDirectory({})).toBeUndefined()
    expect(privateDirectory({ HOME: '' })).toBeUndefined()
    expect(privateDirectory({ XDG_CACHE_HOME: 'relative' })).toBeUndefined()
    expect(privateDirectory({ HOME: join(home, 'file') })).toBeUndefined()
  })

  it('is none where others may write to it, or it is a link to elsewhere', () => {
    const directory = join(home, 'open/holdfast/compile-cache')
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, 0o777)
    expect(privateDirectory({ XDG_CACHE_HOME: join(home, 'open') })).toBeUndefined()
    mkdirSync(join(home, 'linked/holdfast'), { recursive: true })
    symlinkSync(home, join(home, 'linked/holdfast/compile-cache'))
    expect(privateDirectory({ XDG_CACHE_HOME: join(home, 'linked') })).toBeUndefined()
  })
})
