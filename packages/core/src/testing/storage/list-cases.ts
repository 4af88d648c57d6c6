import assert from 'node:assert/strict'
import { streamOf } from '../../byte-stream.js'
import type { StoredObject } from '../../storage/storage.js'
import { assertAbsent, assertHolds, listKeys } from './expect.js'
import { inParallel, type StorageCase, storageCase } from './storage-case.js'

/** Listing and deleting. */
export const listCases: readonly StorageCase[] = [
  storageCase('list: any string is a prefix, not only a folder', async ({ storage, prefix, ctx }) => {
    const keys = ['other', 'shop-2/b', 'shop/a', 'shop/deep/er/c', 'shopping'].map((key) => prefix + key)
    await inParallel(keys, (key) => storage.put(key, streamOf(Buffer.from(key)), {}, ctx))
    const listed = async (beginning: string): Promise<string[]> =>
      (await listKeys(storage, prefix + beginning, ctx)).map((key) => key.slice(prefix.length))
    assert.deepEqual(await listed(''), ['other', 'shop-2/b', 'shop/a', 'shop/deep/er/c', 'shopping'])
    assert.deepEqual(await listed('sh'), ['shop-2/b', 'shop/a', 'shop/deep/er/c', 'shopping'])
    assert.deepEqual(await listed('shop'), ['shop-2/b', 'shop/a', 'shop/deep/er/c', 'shopping'])
    assert.deepEqual(await listed('shop/'), ['shop/a', 'shop/deep/er/c'])
    assert.deepEqual(await listed('shop/d'), ['shop/deep/er/c'])
    assert.deepEqual(await listed('shop/deep/'), ['shop/deep/er/c'])
    assert.deepEqual(await listed('shop-'), ['shop-2/b'])
    assert.deepEqual(await listed('shop/a'), ['shop/a'], 'a whole key is a prefix of itself')
    assert.deepEqual(await listed('shop/a/'), [])
    assert.deepEqual(await listed('absent/'), [])
    assert.deepEqual(await listed('shopping-mall'), [])
  }),

  storageCase('list: a prefix cannot leave the storage', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}object`, streamOf(Buffer.from('x')), {}, ctx)
    for (const odd of [`${prefix}../`, '../', '/', `${prefix}./`, `${prefix}/`, `${prefix}a\\`]) {
      assert.deepEqual(await listKeys(storage, odd, ctx), [], `list of ${odd}`)
    }
  }),

  storageCase('list: size and time are those of stat', async ({ storage, prefix, ctx }) => {
    const keys = ['a', 'b/c', 'b/d'].map((key) => prefix + key)
    for (const key of keys) await storage.put(key, streamOf(Buffer.from(key + key)), {}, ctx)
    const listed: StoredObject[] = []
    for await (const object of storage.list(prefix, ctx)) listed.push(object)
    assert.equal(listed.length, 3)
    for (const object of listed) {
      const stat = await storage.stat(object.key, ctx)
      assert.ok(stat, `stat of ${object.key}, which is listed`)
      assert.equal(object.size, stat.size)
      // HTTP dates have no fraction of a second.
      assert.ok(Math.abs(object.modifiedAt.getTime() - stat.modifiedAt.getTime()) < 1000)
    }
  }),

  storageCase(
    'list: 1,100 objects, more than a page, each once',
    async ({ storage, prefix, ctx }) => {
      const keys = Array.from({ length: 1100 }, (_, index) => `${prefix}${index % 7}/${String(index).padStart(5, '0')}`)
      await inParallel(keys, (key) => storage.put(key, streamOf(Buffer.from('x')), {}, ctx))
      assert.deepEqual(await listKeys(storage, prefix, ctx), keys.sort())
    },
    { heavy: true },
  ),

  storageCase('list: a reader that stops early', async ({ storage, prefix, ctx }) => {
    for (const key of ['a', 'b', 'c/d']) await storage.put(prefix + key, streamOf(Buffer.from('x')), {}, ctx)
    for (let round = 0; round < 20; round++) {
      for await (const object of storage.list(prefix, ctx)) {
        assert.ok(object.key.startsWith(prefix))
        break
      }
    }
    assert.equal((await listKeys(storage, prefix, ctx)).length, 3)
  }),

  storageCase(
    'delete: the object is gone for get, stat and list; its neighbours stay',
    async ({ storage, prefix, ctx }) => {
      for (const key of ['dir/a', 'dir/ab', 'dir/b']) {
        await storage.put(prefix + key, streamOf(Buffer.from(key)), {}, ctx)
      }
      await storage.delete(`${prefix}dir/a`, ctx)
      assert.deepEqual(await listKeys(storage, prefix, ctx), [`${prefix}dir/ab`, `${prefix}dir/b`])
      await storage.delete(`${prefix}dir/ab`, ctx)
      await assertAbsent(storage, `${prefix}dir/ab`, ctx)
      await assertHolds(storage, `${prefix}dir/b`, Buffer.from('dir/b'), ctx)
    },
  ),

  storageCase('delete: an absent object is success', async ({ storage, prefix, ctx }) => {
    await storage.delete(`${prefix}never/was`, ctx)
    await storage.put(`${prefix}once`, streamOf(Buffer.from('x')), {}, ctx)
    await storage.delete(`${prefix}once`, ctx)
    await storage.delete(`${prefix}once`, ctx)
    await assertAbsent(storage, `${prefix}once`, ctx)
  }),

  storageCase('delete: what is only the beginning of a key deletes nothing', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}folder/object`, streamOf(Buffer.from('x')), {}, ctx)
    await storage.delete(`${prefix}folder`, ctx)
    await assertHolds(storage, `${prefix}folder/object`, Buffer.from('x'), ctx)
  }),

  storageCase('put: a deleted key can be taken again, exclusively', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}dir/key`, streamOf(Buffer.from('first')), { ifAbsent: true }, ctx)
    await storage.delete(`${prefix}dir/key`, ctx)
    await storage.put(`${prefix}dir/key`, streamOf(Buffer.from('second')), { ifAbsent: true }, ctx)
    await assertHolds(storage, `${prefix}dir/key`, Buffer.from('second'), ctx)
  }),
]
