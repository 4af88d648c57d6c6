import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { serverFrom } from './server.js'
import { chooseTool, findTools } from './tools.js'

let binDir: string
beforeEach(() => {
  binDir = mkdtempSync(join(tmpdir(), 'holdfast-tools-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(binDir, { recursive: true })
})

const mysql9 = serverFrom('9.7.4', 'MySQL Community Server')
const mariadb11 = serverFrom('11.8.2-MariaDB', '')

function install(name: string, script: string): void {
  writeFileSync(join(binDir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

describe('a dump program of an older major', () => {
  it.each([
    ['mysqldump', 'echo "mysqldump  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"', mysql9],
    ['mariadb-dump', 'echo "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for linux"', mariadb11],
  ])('is refused: %s', async (name, script, server) => {
    install(name, script)
    await expect(chooseTool('dump', server, binDir)).rejects.toMatchObject({
      code: 'tool-too-old',
      message: expect.stringContaining(`${name} `),
      hint: expect.stringContaining('apt-get install'),
    })
  })
})

describe('what is no such program', () => {
  it.each(['exit 1', 'echo "hello"', 'kill $$'])('is passed over: %s', async (script) => {
    install('mysqldump', script)
    expect(await findTools('dump', binDir)).toEqual([])
    await expect(chooseTool('dump', mysql9, binDir)).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining(binDir),
    })
  })
})

it('a program is asked once more when it was replaced', async () => {
  install('mysqldump', 'echo "mysqldump  Ver 8.0.1 for Linux (MySQL)"')
  expect(await findTools('dump', binDir)).toMatchObject([{ version: '8.0.1' }])
  install('mysqldump', 'echo "mysqldump  Ver 9.7.4 for Linux (MySQL)"; : other size')
  expect(await findTools('dump', binDir)).toMatchObject([{ version: '9.7.4' }])
})

it('programs are found on the PATH, each once whatever its names, and say what they know', async () => {
  install('mariadb-dump', 'echo "mariadb-dump from 11.8.2-MariaDB, client 15.2"; echo "  --single-transaction x"')
  install('mysqldump', 'exec mariadb-dump "$@"')
  vi.stubEnv('PATH', `${binDir}:/usr/bin:/bin`)
  const found = (await findTools('dump')).filter(({ path }) => path.startsWith(binDir))
  expect(found.map(({ name, flavour }) => [name, flavour])).toEqual([
    ['mariadb-dump', 'mariadb'],
    ['mysqldump', 'mariadb'],
  ])
  expect(found[0]?.knows('single-transaction')).toBe(true)
  expect(found[0]?.knows('column-statistics')).toBe(false)
})

it('the smallest program that is not older than the server is taken, else the newest', async () => {
  const other = mkdtempSync(join(tmpdir(), 'holdfast-tools-'))
  try {
    vi.stubEnv('PATH', `${binDir}:${other}`)
    install('mariadb-dump', 'echo "mariadb-dump from 99.4.2-MariaDB"')
    writeFileSync(join(other, 'mariadb-dump'), '#!/bin/sh\necho "mariadb-dump from 98.1.1-MariaDB"\n', { mode: 0o755 })
    const serverOf = (version: string) => serverFrom(`${version}-MariaDB`, '')
    expect((await chooseTool('dump', serverOf('98.1.0'), undefined)).version).toBe('98.1.1')
    expect((await chooseTool('dump', serverOf('99.0.0'), undefined)).version).toBe('99.4.2')
    expect((await chooseTool('dump', serverOf('99.5.0'), undefined)).version).toBe('99.4.2')
  } finally {
    rmSync(other, { recursive: true })
  }
})
