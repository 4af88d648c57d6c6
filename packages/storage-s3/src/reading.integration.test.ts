import { readAll, type Storage, streamOf } from '@holdfast/core'
import type { Fault } from '@holdfast/test-support'
import { beforeEach, describe, expect, it } from 'vitest'
import { ctx, failure, freshKey, impatient, inChunks, large, small, useFaultyBucket } from '../test/faulty-bucket.js'

const bucket = useFaultyBucket()
const open = bucket.open
const direct = (): Storage => bucket.direct()
let storage: Storage
beforeEach(() => {
  storage = open()
})

describe('get', () => {
  it('a body that is cut is taken up where it stopped', async () => {
    const key = freshKey()
    await direct().put(key, inChunks(large), {}, ctx)
    for (const afterBytes of [0, 1, 1_000_000, 10_000_000]) {
      bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes } })
    }
    expect((await readAll(storage.get(key, undefined, ctx))).equals(large)).toBe(true)
    const gets = bucket.proxy.seen.filter((seen) => seen.operation === 'GetObject')
    expect(gets).toHaveLength(5)
    expect(gets.slice(1).every((seen) => seen.headers['if-match'] && seen.headers.range?.startsWith('bytes='))).toBe(
      true,
    )
  })

  it('a body that stops coming is taken up after idleTimeout', async () => {
    const key = freshKey()
    await direct().put(key, inChunks(large), {}, ctx)
    bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'freeze', afterBytes: 5_000_000 } })
    const range = { start: 1000, end: 11_000_000 }
    const read = await readAll(open(impatient).get(key, range, ctx))
    expect(read.equals(large.subarray(1000, 11_000_001))).toBe(true)
    expect(bucket.proxy.count('GetObject')).toBe(2)
  })

  it('a body that never gets further is given up', async () => {
    const key = freshKey()
    await direct().put(key, streamOf(small), {}, ctx)
    bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes: 0 }, times: Number.POSITIVE_INFINITY })
    const error = await failure(readAll(storage.get(key, undefined, ctx)))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(bucket.proxy.count('GetObject')).toBe(6)
  })

  it('an object that is replaced while it is read is not mixed with the new one', async () => {
    const key = freshKey()
    await direct().put(key, inChunks(large), {}, ctx)
    bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes: 4_000_000 } })
    bucket.proxy.before(async (seen) => {
      if (seen.operation !== 'GetObject' || bucket.proxy.count('GetObject') !== 2) return
      await direct().put(key, inChunks(Buffer.from(large).fill(9)), {}, ctx)
    })
    expect(await failure(readAll(storage.get(key, undefined, ctx)))).toMatchObject({ code: 'corrupt' })
  })

  it('a service that ignores ranges is noticed', async () => {
    const key = freshKey()
    await direct().put(key, streamOf(small), {}, ctx)
    const fault: Fault = { kind: 'answer', status: 200, code: 'Whatever', headers: { 'content-length': '116' } }
    bucket.proxy.inject({ on: 'GetObject', fault: { ...fault, headers: {} } })
    const error = await failure(readAll(storage.get(key, { start: 5 }, ctx)))
    expect(error.message).toContain('ignores the range')
  })

  it('a flipped byte passes: only the hashes of the engine can tell', async () => {
    const key = freshKey()
    await direct().put(key, streamOf(small), {}, ctx)
    bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'flip', at: 3 } })
    const read = await readAll(storage.get(key, undefined, ctx))
    expect(read.length).toBe(small.length)
    expect([...read].filter((byte, at) => byte !== small[at])).toHaveLength(1)
  })

  it('a reader that stops early closes the connection', async () => {
    const key = freshKey()
    await direct().put(key, inChunks(large), {}, ctx)
    for await (const chunk of storage.get(key, undefined, ctx)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect((await storage.stat(key, ctx))?.size).toBe(large.length)
  })
})

describe('list', () => {
  it('an answer that is cut is asked for again; it never looks like a shorter list', async () => {
    const key = freshKey()
    for (const n of [1, 2, 3]) await direct().put(`${key}/${n}`, streamOf(small), {}, ctx)
    for (const afterBytes of [0, 200]) bucket.proxy.inject({ on: 'ListObjectsV2', fault: { kind: 'cut', afterBytes } })
    const keys: string[] = []
    for await (const object of storage.list(key, ctx)) keys.push(object.key)
    expect(keys).toEqual([`${key}/1`, `${key}/2`, `${key}/3`])
    expect(bucket.proxy.count('ListObjectsV2')).toBe(3)
  })
})
