import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { describeOptionProblems } from './option-problems.js'

const schema: z.ZodType = z.strictObject({
  path: z.string().min(1),
  port: z.int().min(1).max(65_535).optional(),
  ratio: z.number().positive().optional(),
  mode: z.enum(['fast', 'small']).optional(),
  kind: z.literal('disk').optional(),
  name: z.string().min(3).max(5).optional(),
  tables: z.array(z.string()).min(2).max(3).optional(),
  password: z.string().min(8).optional(),
  place: z.union([z.string(), z.boolean()]).optional(),
  endpoint: z.url().optional(),
  own: z
    .string()
    .refine(() => false, 'must be of our own making')
    .optional(),
  odd: z.date().optional(),
})

const problems = (options: unknown): string => {
  const result = schema.safeParse(options)
  return result.error ? describeOptionProblems(result.error, options, schema) : 'none'
}

describe('problems of options', () => {
  it.each<[object, string]>([
    [{ pth: 'x', path: 'x' }, 'pth: is not a known setting (did you mean "path"?)'],
    [{}, 'path: is missing; it must be text'],
    [{ path: '' }, 'path: must not be empty (it is "")'],
    [{ path: 7 }, 'path: must be text (it is 7)'],
    [{ path: 'x', port: 70_000 }, 'port: must be at most 65535 (it is 70000)'],
    [{ path: 'x', port: 0 }, 'port: must be at least 1 (it is 0)'],
    [{ path: 'x', port: 1.5 }, 'port: must be a whole number (it is 1.5)'],
    [{ path: 'x', ratio: 0 }, 'ratio: must be more than 0 (it is 0)'],
    [{ path: 'x', mode: 'slow' }, 'mode: must be one of "fast", "small" (it is "slow")'],
    [{ path: 'x', kind: 'tape' }, 'kind: must be "disk" (it is "tape")'],
    [{ path: 'x', name: 'ab' }, 'name: must have at least 3 characters (it is "ab")'],
    [{ path: 'x', name: 'abcdef' }, 'name: must have at most 5 characters (it is "abcdef")'],
    [{ path: 'x', tables: ['a'] }, 'tables: must have at least 2 entries'],
    [{ path: 'x', tables: 'a' }, 'tables: must be a list (it is "a")'],
    [{ path: 'x', place: 7 }, 'place: has a value that cannot be used here (it is 7)'],
    [{ path: 'x', endpoint: 'nowhere' }, 'endpoint: must be a URL (it is "nowhere")'],
    [{ path: 'x', own: 'x' }, 'own: must be of our own making (it is "x")'],
    [{ path: 'x', odd: [] }, 'odd: must be date'],
  ])('%j: %s', (options, expected) => {
    expect(problems(options)).toBe(expected)
  })

  it('are told without what may be a secret', () => {
    expect(problems({ path: 'x', password: 'hunter2' })).toBe('password: must have at least 8 characters')
    expect(problems({ path: 'x', mode: 'postgres://u:hunter2@h/d' })).toBe('mode: must be one of "fast", "small"')
    expect(problems({ path: 'x', mode: 'x'.repeat(200) })).not.toContain('xxx')
  })

  it('of what has no names, or names within', () => {
    const flat = z.string()
    const { error: ofFlat } = flat.safeParse(7)
    expect(ofFlat && describeOptionProblems(ofFlat, 7, flat)).toBe('the configuration: must be text (it is 7)')
    const nested = z.strictObject({ pool: z.strictObject({ size: z.number() }) })
    const given = { pool: { size: 1, sice: 2 } }
    const { error } = nested.safeParse(given)
    expect(error && describeOptionProblems(error, given, nested)).toBe(
      'pool.sice: is not a known setting (did you mean "size"?)',
    )
  })

  it('of what may have several shapes, and nearly has one of them', () => {
    const several = z.strictObject({ test: z.union([z.string(), z.strictObject({ schedule: z.string() })]) })
    const told = (given: unknown): string => {
      const { error } = several.safeParse(given)
      return error ? describeOptionProblems(error, given, several) : 'none'
    }
    expect(told({ test: { schedul: 'daily' } })).toBe(
      'test.schedule: is missing; it must be text; test.schedul: is not a known setting (did you mean "schedule"?)',
    )
    expect(told({ test: 7 })).toBe('test: has a value that cannot be used here (it is 7)')
  })

  it('of something that is no object', () => {
    expect(problems('postgres')).toBe('the configuration: must be an object (it is "postgres")')
  })
})
