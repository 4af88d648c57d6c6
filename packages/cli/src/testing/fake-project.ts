import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  AsideDatabase,
  BackupError,
  DatabaseInfo,
  Driver,
  HoldfastConfig,
  PreflightFindings,
  Replaced,
  RestoreRequest,
  Storage,
  SwapOptions,
} from '@holdfast/core'
import { local } from '@holdfast/storage-local'
import { tempDirectory } from './temp-directory.js'

/** A database that exists in the memory of a test. */
export interface FakeDatabase {
  content: Buffer
  /** What `probe` says; `undefined` for a database that does not exist. */
  info: DatabaseInfo | undefined
  /** What `probe` and `asides` throw. */
  failure?: BackupError
  /** What the dump throws after its content. */
  dumpFailure?: Error
  warnings: string[]
  /** What its dumps say of themselves in the manifest. */
  options: Readonly<Record<string, unknown>>
  /** What stands beside it. */
  asides: Pick<AsideDatabase, 'name' | 'kind' | 'since' | 'keepUntil'>[]
  /** Whether it notes until when what is put aside is kept. */
  notesTime: boolean
  findings: PreflightFindings
  restored: { readonly content: Buffer; readonly request: RestoreRequest }[]
  /** Awaited in the middle of a dump. */
  pause?: (signal: AbortSignal) => Promise<void>
  driver: Driver
}

export const someTables: DatabaseInfo = {
  sizeBytes: 8_000_000,
  encoding: 'UTF8',
  tables: 3,
  empty: false,
  extensions: ['plpgsql', 'postgis'],
  unreadable: [],
  connections: 0,
}

/** A config file cannot import the sources that a test runs on: it finds what it exports here, by its directory. */
const configs = new Map<string, () => HoldfastConfig>()
Object.assign(globalThis, { holdfastTestConfigs: configs })

/** A directory with a config file: jobs `shop` (disk and offsite) and `stock` (disk), on databases of these names. */
export function fakeProject(
  more: object = {},
  wrap: (storage: Storage) => Storage = (storage) => storage,
): { cwd: string; shop: FakeDatabase; stock: FakeDatabase } {
  const cwd = tempDirectory('project')
  const shop = fakeDatabase('shop')
  const stock = fakeDatabase('stock')
  configs.set(cwd, () => ({
    storages: { disk: wrap(local({ path: './disk' })), offsite: wrap(local({ path: './offsite' })) },
    jobs: {
      shop: { source: shop.driver, storages: ['disk', 'offsite'] },
      stock: { source: stock.driver, storages: ['disk'] },
    },
    ...more,
  }))
  const content = `export default globalThis.holdfastTestConfigs.get(${JSON.stringify(cwd)})()\n`
  writeFileSync(join(cwd, 'holdfast.config.mjs'), content)
  return { cwd, shop, stock }
}

function fakeDatabase(name: string): FakeDatabase {
  const database: Omit<FakeDatabase, 'driver'> = {
    content: Buffer.from(`-- dump of ${name}\n`.repeat(500)),
    info: someTables,
    warnings: [],
    options: { format: 'plain', sections: 'all' },
    asides: [],
    notesTime: true,
    findings: { problems: [], warnings: [] },
    restored: [],
  }
  const whole = database as FakeDatabase
  whole.driver = driverOf(name, whole)
  return whole
}

function driverOf(name: string, database: FakeDatabase): Driver {
  return {
    engine: 'fake',
    display: `fake.example/${name}`,
    database: name,
    async probe() {
      if (database.failure) throw database.failure
      return { version: '15.1', superuser: false, ...(database.info && { database: database.info }) }
    },
    async dump(_, ctx) {
      async function* body(): AsyncGenerator<Uint8Array> {
        yield database.content
        await database.pause?.(ctx.signal)
        ctx.signal.throwIfAborted()
        if (database.dumpFailure) throw database.dumpFailure
      }
      async function* parts() {
        yield {
          name: 'sql',
          mediaType: 'application/sql',
          take: () => ({ kind: 'stream' as const, body: body() }),
        }
        yield {
          name: 'globals.sql',
          mediaType: 'application/sql',
          take: () => ({ kind: 'stream' as const, body: roles() }),
        }
      }
      return {
        parts: parts(),
        done: Promise.resolve({
          serverVersion: '15.1',
          tools: { fake_dump: '15.1' },
          warnings: database.warnings,
          options: database.options,
          recover: 'fake_restore',
        }),
        inventory: async () => ({
          level: 'counts' as const,
          exact: true,
          tables: Array.from({ length: 25 }, (_, index) => ({ schema: 'public', name: `t${index}`, rows: index })),
        }),
        async [Symbol.asyncDispose]() {},
      }
    },
    async restore(from, request, ctx) {
      const chunks: Uint8Array[] = []
      for await (const chunk of from.open('sql', ctx)) chunks.push(chunk)
      database.restored.push({ content: Buffer.concat(chunks), request })
      return { created: false, warnings: ['a role is missing'], tools: {} }
    },
    preflight: async () => database.findings,
    query: async (statement) => [{ holds: statement.includes('true') }],
    async scratch() {
      return {
        driver: driverOf(name, database),
        swap: async (options) => putAside(name, database, options),
        async [Symbol.asyncDispose]() {},
      }
    },
    async asides() {
      if (database.failure) throw database.failure
      return database.asides.map((aside) => ({
        ...aside,
        sizeBytes: 1_000_000,
        takeBack: async (options) => {
          database.asides.splice(database.asides.indexOf(aside), 1)
          return putAside(name, database, options)
        },
        drop: async () => void database.asides.splice(database.asides.indexOf(aside), 1),
      }))
    },
  }
}

function putAside(name: string, database: FakeDatabase, { keepUntil }: SwapOptions): Replaced {
  const oldName = `${name}__before_${database.asides.length}`
  const noted = keepUntil && database.notesTime ? { keepUntil } : {}
  database.asides.unshift({ name: oldName, kind: 'replaced', since: new Date(), ...noted })
  return { oldName, ...noted }
}

async function* roles(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('create role app;\n')
}
