import { describe, expect, it } from 'vitest'
import { withPut } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { identityKey } from '../layout/object-names.js'
import { createRunContext } from '../run-context.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { checkIdentity, ensureIdentity } from './storage-identity.js'

const ctx = createRunContext()
const put = (storage: ReturnType<typeof memoryStorage>, text: string): Promise<unknown> =>
  storage.put(identityKey, streamOf(Buffer.from(text)), {}, ctx)

describe('the identity of a storage', () => {
  it('is made once, and known from then on', async () => {
    const storage = memoryStorage({ name: 'disk' })
    const catalog = memoryCatalog()
    await ensureIdentity(storage, catalog, ctx)
    const known = await catalog.storageIdentity('disk')
    expect(known).toMatch(/^[0-9a-f-]{36}$/)
    await ensureIdentity(storage, catalog, ctx)
    const another = memoryCatalog()
    await ensureIdentity(storage, another, ctx)
    expect(await another.storageIdentity('disk')).toBe(known)
  })

  it('that is another or gone keeps everything from being written', async () => {
    const storage = memoryStorage({ name: 'disk' })
    const catalog = memoryCatalog()
    await ensureIdentity(storage, catalog, ctx)
    await put(storage, '{"id":"another"}')
    await expect(ensureIdentity(storage, catalog, ctx)).rejects.toThrow('another storage than the one')
    await storage.delete(identityKey, ctx)
    await expect(ensureIdentity(storage, catalog, ctx)).rejects.toMatchObject({
      code: 'storage-identity',
      message: expect.stringContaining('has lost'),
      hint: expect.stringContaining('storage forget'),
    })
    expect(await storage.stat(identityKey, ctx)).toBeUndefined()
  })

  it('that is not known is not asked for by what only reads, and never made', async () => {
    const storage = memoryStorage({ name: 'disk' })
    await checkIdentity(storage, memoryCatalog(), ctx)
    expect(await storage.stat(identityKey, ctx)).toBeUndefined()
    const catalog = memoryCatalog()
    await ensureIdentity(storage, catalog, ctx)
    await checkIdentity(storage, catalog, ctx)
    await storage.delete(identityKey, ctx)
    await expect(checkIdentity(storage, catalog, ctx)).rejects.toMatchObject({ code: 'storage-identity' })
  })

  it.each(['torn{', 'null', '[]', '{"id":7}'])('of %j is not taken for a new storage', async (text) => {
    const storage = memoryStorage({ name: 'disk' })
    await put(storage, text)
    await expect(ensureIdentity(storage, memoryCatalog(), ctx)).rejects.toMatchObject({ code: 'storage-identity' })
  })

  it('that another process makes at the same time is the one that counts', async () => {
    const storage = memoryStorage({ name: 'disk' })
    const catalog = memoryCatalog()
    const raced = withPut(storage, async (key, body, options, given) => {
      await put(storage, '{"id":"theirs"}')
      return storage.put(key, body, options, given)
    })
    await ensureIdentity(raced, catalog, ctx)
    expect(await catalog.storageIdentity('disk')).toBe('theirs')
  })

  it('of a storage that does not answer is not made anew', async () => {
    const inner = memoryStorage()
    const down = new BackupError('unavailable', { message: 'no route' })
    const get = (): never => {
      throw down
    }
    await expect(ensureIdentity({ ...inner, get }, memoryCatalog(), ctx)).rejects.toBe(down)
    expect(await inner.stat(identityKey, ctx)).toBeUndefined()
  })

  it('that cannot be written is an error', async () => {
    const denied = new BackupError('storage-denied', { message: 'read only' })
    const storage = withPut(memoryStorage(), () => Promise.reject(denied))
    await expect(ensureIdentity(storage, memoryCatalog(), ctx)).rejects.toBe(denied)
  })
})
