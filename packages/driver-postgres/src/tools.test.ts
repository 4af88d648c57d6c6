import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { chooseTool, findTools, majorOf, newestTool } from './tools.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

function install(directory: string, version: string, name = 'psql'): string {
  const path = join(root, directory)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, name), `#!/bin/sh\necho "${name} ${version}"\n`, { mode: 0o755 })
  return path
}

/** Majors beyond any that this machine may have, so that only the ones made here fit. */
const onPath = (...directories: readonly string[]): void =>
  void vi.stubEnv('PATH', [...directories, '/bin'].join(delimiter))

describe('chooseTool', () => {
  it('takes the smallest major that is not older', async () => {
    onPath(
      install('c', '(PostgreSQL) 93.1'),
      install('a', '(PostgreSQL) 91.4 (Debian 91.4-1)'),
      install('b', '(PostgreSQL) 92rc1'),
    )
    expect(await chooseTool('psql', 92, undefined, 'x')).toMatchObject({
      major: 92,
      version: '92rc1',
      path: join(root, 'b', 'psql'),
    })
    expect(await chooseTool('psql', 90, undefined, 'x')).toMatchObject({ major: 91, version: '91.4 (Debian 91.4-1)' })
    expect(await newestTool('psql', undefined, 'x')).toMatchObject({ major: 93 })
  })

  it('looks only into binDir where there is one', async () => {
    onPath(install('a', '(PostgreSQL) 95.1'))
    const binDir = install('b', '(PostgreSQL) 94.2')
    expect(await findTools('psql', binDir)).toHaveLength(1)
    await expect(chooseTool('psql', 95, binDir, 'a server')).rejects.toMatchObject({
      code: 'tool-too-old',
      message: expect.stringContaining('94.2'),
      hint: expect.stringContaining('postgresql-client-95'),
    })
  })

  it('skips what is not of PostgreSQL, and says when there is nothing', async () => {
    const binDir = install('x', 'something else entirely')
    await expect(chooseTool('psql', 15, binDir, 'x')).rejects.toMatchObject({ code: 'tool-missing' })
    await expect(newestTool('pg_dump', binDir, 'x')).rejects.toMatchObject({ code: 'tool-missing' })
  })
})

it.each([
  ['15.20 (Debian 15.20-0+deb12u1)', 15],
  ['18beta1', 18],
  ['', 0],
])('majorOf %j', (version, major) => {
  expect(majorOf(version)).toBe(major)
})
