import { createRunContext } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { postgres, postgresPlugin } from './index.js'

describe('postgres', () => {
  it('is bound to a database, and shows no secret', () => {
    const driver = postgres({ url: 'postgres://u:s3cret@db:5433/shop' })
    expect(driver).toMatchObject({ engine: 'postgres', database: 'shop', display: 'db:5433/shop' })
    expect(JSON.stringify(driver)).not.toContain('s3cret')
  })

  it.each([
    [{ url: 'postgres://db/x', prot: 1 }, 'prot'],
    [{ url: 'postgres://db/x', idleTimeout: 'soon' }, 'idleTimeout'],
    [{ port: 70_000 }, 'port'],
  ])('refuses %j', (options, named) => {
    expect(() => postgres(options as object)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(named) }),
    )
  })

  it.each([
    [{ url: { env: 'HOLDFAST_NO_SUCH_VARIABLE' } }, 'HOLDFAST_NO_SUCH_VARIABLE is not set'],
    [{ host: 'db', password: { file: '/nowhere/secret' } }, '/nowhere/secret cannot be read'],
    [{ url: undefined }, 'undefined'],
  ])('keeps what is missing in %j until the database is needed', async (options, named) => {
    const driver = postgres(options)
    expect(driver.check).toBeTypeOf('function')
    expect(driver.unusable?.message).toContain(named)
    await expect(driver.probe(createRunContext())).rejects.toBe(driver.unusable)
  })
})

describe('postgresPlugin', () => {
  it('makes drivers from URLs', () => {
    expect(postgresPlugin).toMatchObject({ kind: 'driver', id: 'postgres', schemes: ['postgres', 'postgresql'] })
    expect(postgresPlugin.create(postgresPlugin.fromUrl('postgresql://u@db/x')).display).toBe('db:5432/x')
  })

  it('describes each of its options', async () => {
    const { z } = await import('zod')
    const schema = z.toJSONSchema(postgresPlugin.options, { io: 'input', unrepresentable: 'any' })
    const properties = Object.entries(schema.properties ?? {})
    expect(properties.length).toBeGreaterThan(20)
    for (const [name, property] of properties) expect(property, name).toHaveProperty('description')
  })
})
