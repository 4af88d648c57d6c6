import { describe, expect, it } from 'vitest'
import { environmentReader } from './environment-variables.js'
import { chooseStorages, type Setup } from './setup.js'

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
