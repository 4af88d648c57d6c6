import { expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { collect } from '../testing/faults/stream-faults.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { trackBody } from '../testing/storage/bodies.js'
import { readOnly } from './read-only-storage.js'

const ctx = createRunContext()

it('reads, and refuses to write or delete', async () => {
  const inner = memoryStorage({ name: 'archive' })
  await inner.put('key', streamOf(Buffer.from('kept')), {}, ctx)
  const storage = readOnly({ ...inner, freeSpace: async () => 1, sweepUnfinished: async () => 1 })

  const body = trackBody(streamOf(Buffer.from('new')))
  await expect(storage.put('key', body, {}, ctx)).rejects.toMatchObject({
    code: 'read-only',
    message: expect.stringMatching(/Writing key .* archive/),
  })
  await body.closed
  expect(body.pulls).toBe(0)
  await expect(storage.delete('key', ctx)).rejects.toMatchObject({ code: 'read-only' })

  expect((await readAll(storage.get('key', undefined, ctx))).toString()).toBe('kept')
  expect((await storage.stat('key', ctx))?.size).toBe(4)
  expect(await collect(storage.list('', ctx))).toHaveLength(1)
  expect(await storage.freeSpace?.(ctx)).toBe(1)
  expect(storage.sweepUnfinished).toBeUndefined()
  expect(storage.name).toBe('archive')
})
