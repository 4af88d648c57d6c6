import { expect, it } from 'vitest'
import * as z from 'zod'
import { settingNames } from './setting-names.js'

const rule = z.strictObject({ keep: z.number(), of: z.enum(['day', 'week']).optional() })
const schema = z
  .strictObject({
    jobs: z.record(z.string(), z.strictObject({ rules: z.array(rule).default([]), on: z.string().optional() })),
    every: z.union([z.string().transform(Number), z.strictObject({ schedule: z.string() })]).optional(),
  })
  .transform((value) => value)

it.each([
  [[], ['jobs', 'every']],
  [['jobs'], []],
  [
    ['jobs', 'shop'],
    ['rules', 'on'],
  ],
  [['jobs', 'shop', 'rules'], []],
  [
    ['jobs', 'shop', 'rules', 0],
    ['keep', 'of'],
  ],
  [['jobs', 'shop', 'rules', 0, 'keep'], []],
  [['jobs', 'shop', 'nothing', 'of'], []],
  [['every'], ['schedule']],
])('knows the settings at %j: %j', (path, names) => {
  expect(settingNames(schema, path)).toEqual(names)
})
