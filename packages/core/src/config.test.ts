import { describe, expect, it } from 'vitest'
import { memoryCatalog } from './catalog/memory-catalog.js'
import { defineConfig, type HoldfastConfig, resolveConfig } from './config.js'
import { silentLogger, systemClock } from './run-context.js'
import { memoryDriver } from './testing/memory-driver.js'
import { memoryStorage } from './testing/memory-storage.js'

const source = memoryDriver({ database: { content: new Uint8Array() } })
const disk = memoryStorage({ name: 'anything' })

/** The message of a configuration that is refused. */
function refusal(config: unknown): string {
  try {
    defineConfig(config as HoldfastConfig)
  } catch (error) {
    expect(error).toMatchObject({ code: 'config-invalid' })
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

describe('a configuration', () => {
  it('gives storages their names, and jobs their defaults', () => {
    const { storages, jobs } = resolveConfig({ storages: { disk }, jobs: { shop: { source, storages: ['disk'] } } })
    expect([...storages.keys()]).toEqual(['disk'])
    expect(storages.get('disk')?.name).toBe('disk')
    expect(jobs.get('shop')).toMatchObject({
      name: 'shop',
      minCopies: 1,
      codec: { id: 'zstd' },
      stallTimeoutMs: 300_000,
      dump: { inventory: 'counts', onWarning: 'complete' },
    })
  })

  it('takes storages in place, under their own names', () => {
    const own = memoryStorage({ name: 'nas' })
    const { storages, jobs } = resolveConfig({
      jobs: {
        shop: { source, storages: [own], compress: 'gzip:6', stallTimeout: '90s' },
        crm: { source, storages: [own] },
      },
    })
    expect([...storages.keys()]).toEqual(['nas'])
    expect(jobs.get('shop')).toMatchObject({ codec: { id: 'gzip' }, stallTimeoutMs: 90_000 })
    expect(jobs.get('crm')?.storages[0]).toBe(jobs.get('shop')?.storages[0])
  })

  it('leaves a format to a driver that does not name its own', () => {
    const shop = { source, storages: [disk], dump: { format: 'any' }, stallTimeout: 1_500 }
    expect(resolveConfig({ jobs: { shop } }).jobs.get('shop')).toMatchObject({
      dump: { format: 'any' },
      stallTimeoutMs: 1_500,
    })
  })

  it('may carry its own catalog, logger and clock', () => {
    const config = { jobs: {}, catalog: memoryCatalog(), logger: silentLogger, clock: systemClock }
    expect(defineConfig(config)).toBe(config)
  })

  it.each<[string, unknown, RegExp]>([
    ['no jobs', {}, /jobs: is missing/],
    ['an unknown key', { jobs: {}, storage: {} }, /storage: is not a known setting \(did you mean "storages"\?\)/],
    [
      'an unknown key of a job',
      { jobs: { shop: { source, storages: [disk], compres: 'zstd' } } },
      /jobs\.shop\.compres: .*did you mean "compress"/,
    ],
    [
      'an unknown key of a dump',
      { jobs: { shop: { source, storages: [disk], dump: { table: [] } } } },
      /jobs\.shop\.dump\.table: .*"tables"/,
    ],
    [
      'a source that is no driver',
      { jobs: { shop: { source: 'postgres://x', storages: [disk] } } },
      /jobs\.shop\.source: must be a driver/,
    ],
    ['no storage', { jobs: { shop: { source, storages: [] } } }, /jobs\.shop\.storages: must name at least one/],
    [
      'a storage that is none',
      { jobs: { shop: { source, storages: [{}] } } },
      /jobs\.shop\.storages\.0: must be the name/,
    ],
    [
      'a storage nobody defined',
      { storages: { disk }, jobs: { shop: { source, storages: ['dsk'] } } },
      /jobs\.shop\.storages\.0: no storage is called "dsk" \(did you mean "disk"/,
    ],
    [
      'a storage by its URL, whose password is not shown',
      { storages: { disk }, jobs: { shop: { source, storages: ['sftp://me:hunter2@nas/dir'] } } },
      /^(?!.*hunter2).*no storage is called "sftp:\/\/…"/s,
    ],
    [
      'a storage twice',
      { storages: { disk }, jobs: { shop: { source, storages: ['disk', 'disk'] } } },
      /names a storage twice/,
    ],
    [
      'two of one name',
      { jobs: { shop: { source, storages: [disk, { ...disk, display: 'elsewhere' }] } } },
      /two storages are called/,
    ],
    [
      'more copies than storages',
      { jobs: { shop: { source, storages: [disk], minCopies: 2 } } },
      /minCopies: is 2, but the job has only 1 storage$/,
    ],
    [
      'a compression nobody knows',
      { jobs: { shop: { source, storages: [disk], compress: 'lzma' } } },
      /jobs\.shop\.compress: .*\(it is "lzma"\)/,
    ],
    [
      'a codec that could not be read again',
      { jobs: { shop: { source, storages: [disk], compress: { id: 'lz4', compress() {}, decompress() {} } } } },
      /jobs\.shop\.compress/,
    ],
    [
      'a format that the driver does not write',
      {
        jobs: {
          shop: { source: { ...source, formats: ['custom', 'plain'] }, storages: [disk], dump: { format: 'tar' } },
        },
      },
      /jobs\.shop\.dump\.format: must be one of custom, plain \(it is "tar"\)/,
    ],
    [
      'no span of time',
      { jobs: { shop: { source, storages: [disk], stallTimeout: '5 parsecs' } } },
      /jobs\.shop\.stallTimeout: .*"90s"/,
    ],
  ])('with %s is refused, naming the path', (_, config, message) => {
    expect(refusal(config)).toMatch(message)
  })
})
