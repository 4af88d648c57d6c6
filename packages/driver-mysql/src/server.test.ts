import { describe, expect, it } from 'vitest'
import { serverFrom, serverName, versionNumber } from './server.js'

describe('a server', () => {
  it.each([
    ['10.11.19-MariaDB-0+deb12u1', 'Debian 12', 'mariadb', 101_119, 'MariaDB 10.11'],
    ['5.5.5-10.6.4-MariaDB', '', 'mariadb', 100_604, 'MariaDB 10.6'],
    ['11.4.2', 'mariadb.org binary distribution', 'mariadb', 110_402, 'MariaDB 11.4'],
    ['8.4.3', 'MySQL Community Server - GPL', 'mysql', 80_403, 'MySQL 8.4'],
  ])('that says %s (%s)', (version, comment, flavour, number, name) => {
    const server = serverFrom(version, comment)
    expect(server).toMatchObject({ flavour, number })
    expect(serverName(server)).toBe(name)
  })

  it('of a version that is no number is older than any', () => {
    expect(versionNumber('unknown')).toBe(0)
    expect(versionNumber('9')).toBe(90_000)
  })
})
