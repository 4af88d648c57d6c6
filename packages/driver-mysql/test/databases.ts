import { createRunContext, type Driver, type DumpRequest, type RunContext } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { mysql } from '../src/driver.js'
import { databasesOf, dropDatabases } from './support.js'

/** What the tests of one file share: a server, a database with a backup of it, and one to restore into. */
export interface TestDatabases {
  readonly server: MysqlServer
  readonly ctx: RunContext
  /** The warnings that this context was told of, since the test began. */
  readonly warnings: readonly string[]
  readonly source: string
  /** Dropped after each test, and whatever stands beside it. */
  readonly target: string
  /** Of the source. */
  readonly backup: MemoryBackup
  driverOf(database: string, options?: object): Driver
  /** Names of the databases beside the target. */
  beside(): Promise<readonly string[]>
  /** Restores the backup beside the target, and swaps it in. */
  staged(options?: object): Promise<void>
}

/**
 * Sets them up for a file of tests: the source holds what the statements make.
 *
 * @param request - Of the backup.
 */
export function testDatabases(
  name: string,
  statements: readonly string[] | ((server: MysqlServer) => readonly string[]),
  request: DumpRequest = {},
): TestDatabases {
  const own = process.pid.toString(36)
  const [source, target] = [`${name}_source_${own}`, `${name}_target_${own}`] as const
  const warnings: string[] = []
  const ctx = createRunContext({ report: (event) => event.type === 'warning' && warnings.push(event.message) })
  let server: MysqlServer
  let backup: MemoryBackup
  const driverOf = (database: string, options: object = {}): Driver =>
    mysql({
      ...(server.binDir ? { binDir: server.binDir } : {}),
      url: server.url(database),
      sslmode: 'disable', // so that a proxy can read the statements
      ...options,
    })
  beforeAll(async () => {
    server = await startMariadb()
    await server.createDatabase(source)
    await server.sql(source, ...(typeof statements === 'function' ? statements(server) : statements))
    backup = await memoryBackup(driverOf(source), request, ctx)
  })
  beforeEach(() => void warnings.splice(0))
  afterEach(() => dropDatabases(server, target))
  afterAll(async () => {
    await dropDatabases(server, source)
    await server.stop()
  })
  return {
    ctx,
    warnings,
    source,
    target,
    driverOf,
    get server() {
      return server
    },
    get backup() {
      return backup
    },
    beside: async () => (await databasesOf(server)).filter((each) => each.startsWith(`${target}__`)),
    async staged(options) {
      await using scratch = await driverOf(target, options).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
      await scratch?.driver.restore(backup, { mode: 'create' }, ctx)
      await scratch?.swap?.({ terminateConnections: false }, ctx)
    },
  }
}
