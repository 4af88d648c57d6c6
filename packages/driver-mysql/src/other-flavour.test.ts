import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { otherFlavourWarnings, unfitness } from './other-flavour.js'
import { type Server, serverFrom } from './server.js'
import { chooseTool, type ToolName } from './tools.js'

let binDir: string
beforeEach(() => {
  binDir = mkdtempSync(join(tmpdir(), 'holdfast-flavour-'))
})
afterEach(() => rmSync(binDir, { recursive: true }))

const mariadb = serverFrom('11.8.9-MariaDB', '')
const mysql = serverFrom('9.7.4', 'MySQL Community Server')

/** Programs that say what the real ones say of themselves. */
function install(flavour: Server['flavour'], version: string): void {
  const names = flavour === 'mariadb' ? ['mariadb-dump', 'mariadb'] : ['mysqldump', 'mysql']
  for (const name of names) {
    const says = flavour === 'mariadb' ? `from ${version}-MariaDB, client 15.2` : ` Ver ${version} for Linux (MySQL)`
    writeFileSync(join(binDir, name), `#!/bin/sh\necho "${name} ${says}"\n`, { mode: 0o755 })
  }
}

const choose = (name: ToolName, server: Server, columns: readonly string[] = []) =>
  chooseTool(name, server, binDir, columns)

describe('chooseTool', () => {
  it('takes those of the own flavour where there are both, whatever their versions', async () => {
    install('mariadb', '11.4.2')
    install('mysql', '9.7.4')
    expect(await choose('dump', mysql, ['t.generated'])).toMatchObject({ name: 'mysqldump', version: '9.7.4' })
    expect(await choose('client', mysql)).toMatchObject({ name: 'mysql' })
    expect(await choose('dump', mariadb)).toMatchObject({ name: 'mariadb-dump', version: '11.4.2' })
    expect(await choose('client', mariadb)).toMatchObject({ name: 'mariadb' })
  })

  it("dumps MySQL by MariaDB's program only where that can be restored", async () => {
    install('mariadb', '11.8.9')
    expect(await choose('dump', mysql)).toMatchObject({ name: 'mariadb-dump' })
    await expect(choose('dump', mysql, ['t.a', 't.b', 'u.c', 'u.d'])).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringMatching(
        /^mysqldump was not found.*MySQL 9\.7 server; mariadb-dump 11\.8\.9.*t\.b, u\.c and 1/,
      ),
      hint: expect.stringContaining('apt-get install mysql-client'),
    })
  })

  it("restores into MySQL by MariaDB's client, whatever the columns", async () => {
    install('mariadb', '10.11.19')
    expect(await choose('client', mysql, ['t.a'])).toMatchObject({ name: 'mariadb', version: '10.11.19' })
  })

  it.each(['dump', 'client'] as const)("refuses MySQL 9's programs for MariaDB (%s)", async (name) => {
    install('mysql', '9.7.4')
    await expect(choose(name, mariadb)).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining("9.7.4 is MySQL's and cannot log in to MariaDB"),
      hint: expect.stringContaining('apt-get install mariadb-client'),
    })
  })

  it("takes MySQL 8's client for MariaDB, and not its dump program", async () => {
    install('mysql', '8.4.3')
    expect(await choose('client', mariadb)).toMatchObject({ name: 'mysql', version: '8.4.3' })
    await expect(choose('dump', mariadb)).rejects.toMatchObject({
      code: 'tool-missing',
      hint: expect.stringContaining('mariadb-client'),
    })
  })

  it('says nothing of others where there are none', async () => {
    await expect(choose('dump', mysql)).rejects.toMatchObject({
      message: `mysqldump was not found in ${binDir}; it is needed for a MySQL 9.7 server`,
    })
  })
})

it('never finds fault with a program of the own flavour', () => {
  const program = { name: 'mysqldump', version: '9.7.4', number: 90_704, flavour: 'mysql' as const }
  expect(unfitness('dump', program, mysql, ['t.a'])).toBeUndefined()
  expect(otherFlavourWarnings(program, mysql)).toEqual([])
  expect(otherFlavourWarnings({ ...program, number: 80_403, version: '8.4.3' }, mariadb)).toEqual([
    'mysqldump 8.4.3 is not made for MariaDB 11.8; it is used because there is no mariadb-client',
  ])
})
