import { expect, it } from 'vitest'
import { describeOptions } from './describe-options.js'

it('writes options as name=value, and a line for each that holds others', () => {
  const options = {
    format: 'custom',
    database: {
      encoding: 'UTF8',
      comment: 'the shop, ours',
      owner: '',
      settings: [{ role: 'app', limit: 3 }],
      none: {},
    },
    tables: ['public.a', 'public.b'],
    clean: true,
    like: null,
  }
  expect(describeOptions(options)).toEqual([
    'format=custom tables=public.a,public.b clean=true like=null',
    'database.encoding=UTF8 database.comment="the shop, ours" database.owner="" database.settings.0.role=app database.settings.0.limit=3',
  ])
  expect(describeOptions({})).toEqual([])
  expect(describeOptions({ rendering: {} })).toEqual([])
})

it('does not follow what somebody has nested without end', () => {
  let deep: object = {}
  for (let level = 0; level < 100_000; level++) deep = { a: deep }
  expect(describeOptions({ deep })).toEqual(['deep.a.a.a.a.a=…'])
})
