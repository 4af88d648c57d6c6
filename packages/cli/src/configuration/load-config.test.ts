import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHoldfast } from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { tempDirectory } from '../testing/temp-directory.js'
import { findConfigFile } from './find-config-file.js'
import { loadConfig } from './load-config.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const job = (settings: string): string =>
  `storages: { d: ./d }\njobs: { nightly: { source: "postgres://h/d", ${settings} } }`

function directory(): string {
  return tempDirectory('config')
}

function write(name: string, content: string): string {
  const path = join(directory(), name)
  writeFileSync(path, content)
  return path
}

describe('findConfigFile', () => {
  it('looks upward, and prefers TypeScript', () => {
    const top = directory()
    const deep = join(top, 'a', 'b')
    mkdirSync(deep, { recursive: true })
    expect(findConfigFile(undefined, deep)).toBeUndefined()
    writeFileSync(join(top, 'holdfast.config.yaml'), '')
    expect(findConfigFile(undefined, deep)).toBe(join(top, 'holdfast.config.yaml'))
    writeFileSync(join(top, 'holdfast.config.ts'), '')
    expect(findConfigFile(undefined, deep)).toBe(join(top, 'holdfast.config.ts'))
    mkdirSync(join(top, 'a', 'holdfast.config.ts'))
    expect(findConfigFile(undefined, deep)).toBe(join(top, 'holdfast.config.ts'))
  })

  it('refuses one that everybody may write to, unless it is named', () => {
    const top = directory()
    const path = join(top, 'holdfast.config.ts')
    writeFileSync(path, '')
    chmodSync(path, 0o666)
    expect(() => findConfigFile(undefined, top)).toThrow(`${path} was found, and not used: everybody may write to it`)
    expect(findConfigFile(path, top)).toBe(path)
  })

  it('takes the file that is named, or refuses', () => {
    const path = write('own.yaml', '')
    expect(findConfigFile(path, '/')).toBe(path)
    expect(() => findConfigFile('nowhere.yaml', '/srv')).toThrow('There is no config file /srv/nowhere.yaml')
  })
})

describe('loadConfig', () => {
  const yaml = `
storages:
  disk: ./backups
  offsite: { kind: s3, bucket: acme, prefix: prod }
  minio: { url: 's3://acme/x?endpoint=http://127.0.0.1:9000', accessKeyId: { env: never } }
  plain: { path: ./plain }
  mount: { url: file:///mnt/backups }
jobs:
  shop:
    source: postgres://app@db/shop
    storages: [disk, offsite, ./more]
    compress: gzip
    minCopies: 2
  stock:
    source: { driver: postgres, host: db, database: stock }
    storages: disk
  env:
    source: { env: TEST_DATABASE_URL }
    storages: [disk]
`.replace(', accessKeyId: { env: never }', '')

  it('reads YAML, with relative paths from its own directory', async () => {
    vi.stubEnv('TEST_DATABASE_URL', 'postgres://h:1/from-env')
    const path = write('holdfast.config.yaml', yaml)
    const { config, variablesRead } = await loadConfig(path)
    const displays = Object.values(config.storages ?? {}).map(({ display }) => display)
    const here = path.replace('/holdfast.config.yaml', '')
    expect(displays).toEqual([
      `${here}/backups`,
      's3://acme/prod',
      's3://acme/x at 127.0.0.1:9000',
      `${here}/plain`,
      '/mnt/backups',
    ])
    expect(Object.values(config.jobs).map(({ source }) => source.display)).toEqual([
      'db:5432/shop',
      'db:5432/stock',
      'h:1/from-env',
    ])
    expect(variablesRead).toContain('TEST_DATABASE_URL')
    const holdfast = createHoldfast(config)
    expect(holdfast.storages).toEqual(['disk', 'offsite', 'minio', 'plain', 'mount', './more'])
  })

  it('reads JSON, and URLs from files', async () => {
    const secret = write('url', 'postgres://h:1/from-file\n')
    const path = write(
      'holdfast.config.json',
      JSON.stringify({
        storages: { d: { file: write('place', './x') } },
        jobs: { a: { source: { file: secret }, storages: ['d'] } },
      }),
    )
    const { config } = await loadConfig(path)
    expect(config.jobs.a?.source.display).toBe('h:1/from-file')
  })

  it.each([
    ['mjs', 'export default { jobs: {} }'],
    ['js', 'export default Promise.resolve({ jobs: {} })'],
  ])('runs .%s', async (kind, content) => {
    expect((await loadConfig(write(`holdfast.config.${kind}`, content))).config).toEqual({ jobs: {} })
  })

  it('keeps the working directory', async () => {
    const before = process.cwd()
    await loadConfig(write('holdfast.config.mjs', 'export default { jobs: {} }'))
    expect(process.cwd()).toBe(before)
  })

  it.each<[string, string, RegExp]>([
    ['holdfast.config.json', '{', /cannot be read: /],
    ['holdfast.config.yaml', 'a: [', /cannot be read: /],
    ['holdfast.config.yaml', '- a', /the configuration: must be an object/],
    ['holdfast.config.yaml', 'storages: []', /storages: must be an object with a name for each/],
    ['holdfast.config.yaml', 'storages: { d: 7 }', /storages\.d: must be a directory, a URL/],
    ['holdfast.config.yaml', 'storages: { d: ftp://h/d }', /storages\.d: No storage here answers to ftp/],
    ['holdfast.config.yaml', 'storages: { d: { kind: tape } }', /storages\.d\.kind: must be one of local, s3, sftp/],
    [
      'holdfast.config.yaml',
      'storages: { d: { url: "tape://x" } }',
      /storages\.d\.kind: must be one of local, s3, sftp/,
    ],
    ['holdfast.config.yaml', 'storages: { d: { kind: s3 } }', /storages\.d: .*bucket/],
    ['holdfast.config.yaml', 'storages: { d: { type: s3 } }', /storages\.d\.type: .*said by `kind: s3`/],
    ['holdfast.config.yaml', 'storages: { d: { type: disk } }', /storages\.d\.type: .*`kind: local or s3 or sftp`/],
    ['holdfast.config.yaml', 'jobs: { j: { source: { type: mysql } } }', /source\.type: .*said by `driver: mysql`/],
    ['holdfast.config.yaml', 'ciphers: [{ type: age }]', /ciphers\.0\.type: .*said by `cipher: age`/],
    ['holdfast.config.yaml', 'jobs: { a: 1 }', /jobs\.a: must be an object/],
    [
      'holdfast.config.yaml',
      'storages: { d: ./d }\njobs: { a: { sorce: "postgres://h/d", storages: [d] } }',
      /jobs\.a\.source: is missing; .*jobs\.a\.sorce: is not a known setting \(did you mean "source"\?\)/,
    ],
    ['holdfast.config.yaml', 'jobs: { a: { source: 7, storages: [d] } }', /jobs\.a\.source: must be a URL/],
    [
      'holdfast.config.yaml',
      'storages: { d: { pth: x } }',
      /storages\.d: .*pth: is not a known setting \(did you mean "path"/,
    ],
    [
      'holdfast.config.yaml',
      'storages: { d: ./d }\njobs: { a: { source: "postgres://h/d", storages: [d], compress: lzma } }',
      /jobs\.a\.compress: .*lzma/,
    ],
    ['holdfast.config.mjs', 'export default { jobs: {}, job: 1 }', /job: is not a known setting \(did you mean "jobs"/],
    [
      'holdfast.config.yaml',
      'jobs: { a: { source: "postgres://h/d" } }',
      /jobs\.a\.storages: is missing; it must be a list/,
    ],
    ['holdfast.config.yaml', 'jobs: { a: { storages: 7 } }', /jobs\.a\.storages: must be a list of storages/],
    [
      'holdfast.config.yaml',
      'jobs: { a: { source: { driver: dbase } } }',
      /jobs\.a\.source\.driver: must be one of postgres/,
    ],
    ['holdfast.config.yaml', 'jobs: { a: { source: { env: 7 } } }', /jobs\.a\.source: /],
    ['holdfast.config.mjs', 'export const config = {}', /does not export a configuration/],
    ['holdfast.config.mjs', "import 'no-such-package'", /cannot be loaded: /],
    ['holdfast.config.mjs', 'throw new Error("own words")', /cannot be loaded: own words/],
  ])('refuses %s: %s', async (name, content, message) => {
    const failure = loadConfig(write(name, content))
    await expect(failure).rejects.toMatchObject({ message: expect.stringMatching(message), name: 'BackupError' })
    await expect(failure).rejects.toThrow(name)
  })

  it.each([
    ['storage: { d: ./d }', 'storage: is not a known setting (did you mean "storages"?)'],
    ['job: { shop: {} }', 'job: is not a known setting (did you mean "jobs"?)'],
    [job('storage: [d]'), 'jobs.nightly.storage: is not a known setting (did you mean "storages"?)'],
    [job('storages: [d], encrpt: age1x'), 'jobs.nightly.encrpt: is not a known setting (did you mean "encrypt"?)'],
    [
      job('storages: [d], dump: { table: [a] }'),
      'jobs.nightly.dump.table: is not a known setting (did you mean "tables"',
    ],
    [
      job('storages: [d], verify: { testRestore: { schedul: daily } }'),
      'jobs.nightly.verify.testRestore.schedul: is not a known setting (did you mean "schedule"?)',
    ],
    [
      job('storages: [d], encrypt: { cipher: age, recipient: age1x }'),
      'jobs.nightly.encrypt: The encryption with age cannot be used: recipient: is not a known setting (did you mean "recipients"?)',
    ],
  ])('says what is meant where a name is misspelt: %s', async (content, message) => {
    const failure = loadConfig(write('holdfast.config.yaml', content))
    await expect(failure).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringContaining(message) })
  })

  it('reads a file whose sources this host cannot use, and says later which and why', async () => {
    vi.stubEnv('SHOP_URL', undefined)
    const yaml = `storages: { d: ./d }
jobs:
  shop: { source: { env: SHOP_URL }, storages: [d] }
  crm: { source: { file: /nowhere/url }, storages: [d] }
  stock: { source: 'postgres://h/stock', storages: [d] }`
    const path = write('holdfast.config.yaml', yaml)
    const { jobs } = (await loadConfig(path)).config
    expect(jobs.shop?.source.unusable).toMatchObject({
      code: 'config-invalid',
      message: `${path}: jobs.shop.source: the environment variable SHOP_URL is not set`,
      hint: expect.stringContaining('Set it'),
    })
    expect(jobs.crm?.source.unusable?.message).toContain('jobs.crm.source: the file /nowhere/url cannot be read')
    expect(jobs.stock?.source.unusable).toBeUndefined()
  })

  it('names the variable that a program of a configuration found unset', async () => {
    vi.stubEnv('SHOP_URL', undefined)
    const configWithUrl = (url: string | undefined): object => ({
      jobs: { shop: { source: postgres({ url }), storages: [local({ path: 'd' })] } },
    })
    vi.stubGlobal('configWithUrl', configWithUrl)
    const path = write(
      'holdfast.config.mjs',
      'export default globalThis.configWithUrl(process.env.SHOP_URL, process.env["TEST_" + 1])',
    )
    const { unusable } = (await loadConfig(path)).config.jobs.shop?.source ?? {}
    expect(unusable?.message).toContain(`${path}: jobs.shop.source: The url`)
    expect(unusable?.hint).toMatch(/^Not set are: SHOP_URL\. /)
    vi.unstubAllGlobals()
  })
})
