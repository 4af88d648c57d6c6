import type { Manifest } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { chosenIn } from './chosen-in.js'

describe('what a backup holds of its database', () => {
  it.each<[object, string | undefined]>([
    [{}, undefined],
    [{ sections: 'all', tables: [], format: 'custom' }, undefined],
    [{ sections: 'all', tables: ['orders', 'sales.*'] }, 'orders, sales.*'],
    [{ tables: ['sales.*'], excludeTables: ['sales.log'] }, 'sales.* without sales.log'],
    [{ excludeTables: ['log'], excludeSchemas: ['old'] }, 'all but log, schema old'],
    [{ schemas: ['sales'] }, 'schema sales'],
    [{ sections: 'schema' }, 'all tables, without rows'],
    [{ sections: 'data', tables: ['orders'] }, 'orders, rows alone'],
    [{ tables: 'not a list' }, undefined],
  ])('%j: %s', (options, expected) => {
    expect(chosenIn({ manifest: { options } as Manifest })).toBe(expected)
  })
})
