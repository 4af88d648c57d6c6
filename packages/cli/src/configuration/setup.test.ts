import { describe, expect, it } from 'vitest'
import { createOutput } from '../output/output.js'
import { runIn, testWorld } from '../testing/test-world.js'
import { environmentReader } from './environment-variables.js'
import { chooseStorages, readSetup, type Setup } from './setup.js'

const setup: Setup = {
  file: undefined,
  config: undefined,
  read: environmentReader({}),
  jobs: async () => ({}),
  storages: async () => ({}),
}
const choose = async (...named: string[]): Promise<Record<string, string>> => {
  const chosen = await chooseStorages(named, setup, { world: { cwd: '/srv' } } as never)
  return Object.fromEntries(Object.entries(chosen).map(([name, storage]) => [name, storage.display]))
}

describe('the environment', () => {
  it('makes each storage once, for the list of storages and for the job', async () => {
    const world = testWorld({ env: { DATABASE_URL: 'postgres://h/d', S3_BUCKET: 'acme', BACKUP_LOCAL: 'true' } })
    const found = await readSetup({ world, options: {}, output: createOutput(world, {}) } as never)
    const storages = await found.storages()
    const jobs = await found.jobs()
    expect(Object.keys(storages)).toEqual(['local', 's3'])
    expect(jobs.default?.storages.map((storage) => Object.values(storages).includes(storage as never))).toEqual([
      true,
      true,
    ])
  })
})

describe('a URL on the command line', () => {
  it('is refused where it was copied from output, with *** for its password', async () => {
    const { code, err } = await runIn({}, 'restore', 'undo', '--into', 'postgres://app:***@127.0.0.1:1/shop')
    expect([code, err]).toEqual([1, expect.stringContaining('*** where its password belongs')])
  })
})

describe('storages on the command line', () => {
  it('are called as they were typed, so that buckets of one name at two services are two storages', async () => {
    expect(await choose('./b', 's3://acme?endpoint=http://h:1', 's3://acme?endpoint=http://h:2', 's3://acme')).toEqual({
      './b': '/srv/b',
      's3://acme?endpoint=http://h:1': 's3://acme at h:1',
      's3://acme?endpoint=http://h:2': 's3://acme at h:2',
      's3://acme': 's3://acme',
    })
  })

  it('are refused when two are the same place', async () => {
    for (const two of [
      ['./b', 'b/'],
      ['s3://acme?endpoint=http://h:1', 's3://acme/?endpoint=http://h:1/&pathStyle=true'],
    ]) {
      await expect(choose(...two)).rejects.toThrow('are the same place')
    }
  })
})
