import { describe, expect, it } from 'vitest'
import { jobOn, keysOn, run, setUp } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { createRunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { leaseMs } from './lease.js'

const key = '.holdfast/leases/shop.json'

/** A dump that gives a byte, and the rest once it is let go. */
function slowDump() {
  const started = Promise.withResolvers<void>()
  const rest = Promise.withResolvers<void>()
  async function* body() {
    yield Buffer.from('some')
    started.resolve()
    await rest.promise
    yield Buffer.from('more')
  }
  return { parts: () => [{ name: 'dump', body: body() }], started: started.promise, goOn: rest.resolve }
}

/** A storage that takes no lease any more once it is told. */
function tiring(inner: Storage): Storage & { tire(): void } {
  let isTired = false
  const put: Storage['put'] = (at, ...rest) =>
    isTired && at.includes('leases')
      ? Promise.reject(new BackupError('storage-denied', { message: 'no more' }))
      : inner.put(at, ...rest)
  const tire = (): void => {
    isTired = true
  }
  return { ...inner, put, tire }
}

async function pass(clock: ReturnType<typeof createFakeClock>): Promise<void> {
  for (let third = 0; third < 4; third++) await clock.advance(leaseMs / 3)
}

describe('a run whose lease is lost', () => {
  it('to another run ends at once, and leaves nothing', async () => {
    const clock = createFakeClock()
    const ctx = createRunContext({ clock })
    const catalog = memoryCatalog()
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const dump = slowDump()
    const running = run(jobOn([disk, offsite], {}, { parts: dump.parts }), setUp(catalog), ctx)
    running.catch(() => {})
    await dump.started
    await disk.put(key, streamOf(Buffer.from(JSON.stringify({ run: 'another' }))), {}, ctx)
    await clock.advance(leaseMs / 3)
    dump.goOn()
    await expect(running).rejects.toMatchObject({ code: 'lease-lost', message: expect.stringContaining('took over') })
    expect([await keysOn(disk), await keysOn(offsite)]).toEqual([[key], []])
    expect(await catalog.runs()).toMatchObject([{ status: 'failed' }])
  })

  it('on every storage ends', async () => {
    const clock = createFakeClock()
    const disk = tiring(memoryStorage({ name: 'disk' }))
    const dump = slowDump()
    const running = run(jobOn([disk], {}, { parts: dump.parts }), setUp(), createRunContext({ clock }))
    running.catch(() => {})
    await dump.started
    disk.tire()
    await pass(clock)
    dump.goOn()
    await expect(running).rejects.toMatchObject({ code: 'lease-lost', message: expect.stringContaining('no more') })
    expect(await keysOn(disk)).toEqual([])
  })

  it('on one of two storages goes on: its own fence decides about that copy', async () => {
    const clock = createFakeClock()
    const [disk, offsite] = [tiring(memoryStorage({ name: 'disk' })), memoryStorage({ name: 'offsite' })]
    const dump = slowDump()
    const running = run(jobOn([disk, offsite], {}, { parts: dump.parts }), setUp(), createRunContext({ clock }))
    await dump.started
    disk.tire()
    await pass(clock)
    dump.goOn()
    expect((await running).status).toBe('complete')
  })
})
