import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext, silentLogger } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { acquireLease, leaseMs } from './lease.js'

const key = '.holdfast/leases/shop.json'
const ctx = createRunContext()

function putLease(storage: Storage, lease: object | string, at = ctx): Promise<unknown> {
  const text = typeof lease === 'string' ? lease : JSON.stringify(lease)
  return storage.put(key, streamOf(Buffer.from(text)), {}, at)
}

async function holder(storage: Storage): Promise<Record<string, unknown>> {
  return JSON.parse((await readAll(storage.get(key, undefined, ctx))).toString())
}

describe('a lease', () => {
  it('keeps a second run out, and is gone after the first', async () => {
    const storage = memoryStorage()
    const first = await acquireLease(storage, 'shop', 'run-1', ctx)
    await expect(acquireLease(storage, 'shop', 'run-2', ctx)).rejects.toMatchObject({ code: 'busy', retryable: true })
    await first.check()
    await first[Symbol.asyncDispose]()
    await (await acquireLease(storage, 'shop', 'run-2', ctx))[Symbol.asyncDispose]()
    expect(await storage.stat(key, ctx)).toBeUndefined()
  })

  it('does not keep other jobs out', async () => {
    const storage = memoryStorage()
    await using _first = await acquireLease(storage, 'shop', 'run-1', ctx)
    await using second = await acquireLease(storage, 'crm', 'run-2', ctx)
    await second.check()
  })

  it('of a process of this host that is gone is taken over at once', async () => {
    const storage = memoryStorage()
    const held = await acquireLease(storage, 'shop', 'run-1', ctx)
    const mine = await holder(storage)
    await held[Symbol.asyncDispose]()
    await putLease(storage, { ...mine, run: 'crashed', startTime: 'an earlier process of the same pid' })
    await using lease = await acquireLease(storage, 'shop', 'run-2', ctx)
    await lease.check()
    expect(await holder(storage)).toMatchObject({ run: 'run-2' })
  })

  it('of a process of this host that has ended is taken over at once', async () => {
    const storage = memoryStorage()
    const held = await acquireLease(storage, 'shop', 'run-1', ctx)
    const mine = await holder(storage)
    await held[Symbol.asyncDispose]()
    const { pid } = spawnSync(process.execPath, ['--version'])
    await putLease(storage, { ...mine, run: 'crashed', pid })
    await using lease = await acquireLease(storage, 'shop', 'run-2', ctx)
    await lease.check()
  })

  it('of another host is waited for until it expires', async () => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const expiresAt = new Date(clock.now().getTime() + leaseMs).toISOString()
    await putLease(storage, { run: 'other', host: `not-${hostname()}`, pid: 1, startTime: '', expiresAt }, at)
    await expect(acquireLease(storage, 'shop', 'run-2', at)).rejects.toMatchObject({ code: 'busy' })
    await clock.advance(leaseMs + 1)
    const taking = acquireLease(storage, 'shop', 'run-2', at)
    await clock.advance(leaseMs / 2)
    await (await taking)[Symbol.asyncDispose]()
  })

  it('of another host that is past by this clock alone is left to it as long as it is renewed', async () => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const theirs = (ms: number): Promise<unknown> => {
      const expiresAt = new Date(clock.now().getTime() - 3_600_000 + ms).toISOString() // an hour behind
      return putLease(storage, { run: 'other', host: `not-${hostname()}`, pid: 1, startTime: '', expiresAt }, at)
    }
    await theirs(0)
    const taking = acquireLease(storage, 'shop', 'run-2', at)
    const refused = expect(taking).rejects.toMatchObject({ code: 'busy' })
    await clock.advance(leaseMs / 3)
    await theirs(leaseMs / 3)
    await clock.advance(leaseMs / 6)
    await refused
    expect((await holder(storage)).run).toBe('other')
  })

  it.each([
    ['is left to it as long as it is renewed', true],
    ['is taken over where it is not renewed', false],
  ])('that ends in years by this clock %s', async (_, isRenewed) => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const theirs = (): Promise<unknown> => {
      const expiresAt = new Date(clock.now().getTime() + 10 * 365 * 86_400_000).toISOString()
      return putLease(storage, { run: 'other', host: `not-${hostname()}`, pid: 1, startTime: '', expiresAt }, at)
    }
    await theirs()
    const taking = acquireLease(storage, 'shop', 'run-2', at)
    const settled = taking.then(
      () => 'taken over',
      ({ code }: BackupError) => code,
    )
    await clock.advance(leaseMs / 3)
    if (isRenewed) await theirs()
    await clock.advance(leaseMs / 6)
    expect(await settled).toBe(isRenewed ? 'busy' : 'taken over')
    expect((await holder(storage)).run).toBe(isRenewed ? 'other' : 'run-2')
    if (!isRenewed) await (await taking)[Symbol.asyncDispose]()
  })

  it('of garbage shows nobody a line that Holdfast did not write, and keeps nobody out', async () => {
    const expiresAt = new Date(Date.now() + leaseMs).toISOString()
    const whole = { run: 'other', host: 'elsewhere', pid: 1, startTime: '', expiresAt }
    const line = 'x\nAll backups are complete'
    for (const wrong of [
      { run: line },
      { host: line },
      { host: '\u202e' },
      { startTime: 1 },
      { pid: 'abc' },
      { pid: -1 },
    ]) {
      const shown: string[] = []
      const log = { ...silentLogger, warn: (message: string) => void shown.push(message) }
      const storage = memoryStorage()
      await putLease(storage, { ...whole, ...wrong })
      await using lease = await acquireLease(storage, 'shop', 'run-2', createRunContext({ log }))
      await lease.check()
      expect(shown).toEqual(['Taking over the lease of run  on memory, which ended without a word'])
    }
  })

  it.each(['torn{', '"text"', 'null', '[]'])("that nobody can read is nobody's: %s", async (content) => {
    const storage = memoryStorage()
    await putLease(storage, content)
    await using lease = await acquireLease(storage, 'shop', 'run-2', ctx)
    await lease.check()
  })

  it('is renewed while it is held', async () => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const lease = await acquireLease(storage, 'shop', 'run-1', at)
    const before = (await holder(storage)).expiresAt
    for (let step = 0; step < 6; step++) await clock.advance(leaseMs / 3)
    expect(Date.parse(String((await holder(storage)).expiresAt))).toBeGreaterThan(Date.parse(String(before)) + leaseMs)
    await expect(acquireLease(storage, 'shop', 'run-2', at)).rejects.toMatchObject({ code: 'busy' })
    await lease[Symbol.asyncDispose]()
  })

  it('that another run took over is lost: the fence says so, and it is left to the other', async () => {
    const storage = memoryStorage()
    const lease = await acquireLease(storage, 'shop', 'run-1', ctx)
    await putLease(storage, { ...(await holder(storage)), run: 'run-2' })
    await expect(lease.check()).rejects.toMatchObject({ code: 'lease-lost' })
    await lease[Symbol.asyncDispose]()
    expect(await holder(storage)).toMatchObject({ run: 'run-2' })
  })

  it('that another run took over is told at the next renewal, and not renewed', async () => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const lease = await acquireLease(storage, 'shop', 'run-1', at)
    const taken = { ...(await holder(storage)), run: 'run-2' }
    await putLease(storage, taken, at)
    expect(lease.lost.aborted).toBe(false)
    await clock.advance(leaseMs / 3)
    expect(lease.lost.reason).toMatchObject({ code: 'lease-lost', message: expect.stringContaining('took over') })
    expect(await holder(storage)).toEqual(taken)
    await lease[Symbol.asyncDispose]()
  })

  it('that could not be renewed before it ended is lost', async () => {
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const storage = memoryStorage()
    const down = new BackupError('unavailable', { message: 'no route' })
    let isDown = false
    const put: Storage['put'] = (...given) => (isDown ? Promise.reject(down) : storage.put(...given))
    const lease = await acquireLease({ ...storage, put }, 'shop', 'run-1', at)
    isDown = true
    await clock.advance(leaseMs / 3)
    await clock.advance(leaseMs / 3)
    expect(lease.lost.aborted).toBe(false)
    await clock.advance(leaseMs / 3)
    expect(lease.lost.reason).toMatchObject({
      code: 'lease-lost',
      cause: down,
      message: expect.stringContaining('no route'),
    })
    expect(clock.sleepers).toBe(0)
    await lease[Symbol.asyncDispose]()
  })

  it('is held by one of many that try at once', async () => {
    const storage = memoryStorage()
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => acquireLease(storage, 'shop', `run-${n}`, ctx)),
    )
    const won = tries.filter((result) => result.status === 'fulfilled')
    expect(won).toHaveLength(1)
    await won[0]?.value[Symbol.asyncDispose]()
  })

  it('that cannot be read is an error, not a free one', async () => {
    const storage = memoryStorage()
    await putLease(storage, { run: 'other', host: 'x', pid: 1, startTime: '', expiresAt: '' })
    const get = (): never => {
      throw new BackupError('unavailable', { message: 'down' })
    }
    await expect(acquireLease({ ...storage, get }, 'shop', 'run-1', ctx)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('that cannot be written is not held', async () => {
    const denied = new BackupError('storage-denied', { message: 'read only' })
    const storage = { ...memoryStorage(), put: () => Promise.reject(denied) }
    await expect(acquireLease(storage, 'shop', 'run-1', ctx)).rejects.toBe(denied)
  })

  it('that was written and cannot be read back is let go of, even where that fails too', async () => {
    const down = new BackupError('unavailable', { message: 'down' })
    const inner = memoryStorage()
    const get = (): never => {
      throw down
    }
    await expect(acquireLease({ ...inner, get }, 'shop', 'run-1', ctx)).rejects.toBe(down)
    expect(await inner.stat(key, ctx)).toBeUndefined()
    const lines: string[] = []
    const at = createRunContext({ log: { ...silentLogger, warn: (line) => lines.push(line) } })
    const stuck = { ...inner, get, delete: () => Promise.reject(new Error('no rights')) }
    await expect(acquireLease(stuck, 'shop', 'run-1', at)).rejects.toBe(down)
    expect(lines).toEqual([`Could not remove ${key} from memory: no rights`])
  })

  it('that others keep snatching is given up', async () => {
    const storage = memoryStorage()
    // A storage without exclusive puts, and a rival that always writes last.
    const snatched: Storage = {
      ...storage,
      async put(at, body, _options, given) {
        const stored = await storage.put(at, body, {}, given)
        await putLease(storage, { run: 'rival', host: '', pid: 1, startTime: '', expiresAt: '' })
        return stored
      },
    }
    await expect(acquireLease(snatched, 'shop', 'run-1', ctx)).rejects.toMatchObject({ code: 'busy', retryable: true })
  })

  it('goes on when a renewal fails, and when letting go fails', async () => {
    const clock = createFakeClock()
    const lines: string[] = []
    const at = createRunContext({ clock, log: { ...silentLogger, warn: (line) => lines.push(line) } })
    const inner = memoryStorage()
    let down = false
    const get: Storage['get'] = (...given) => {
      if (down) throw new BackupError('unavailable', { message: 'down' })
      return inner.get(...given)
    }
    const lease = await acquireLease({ ...inner, get }, 'shop', 'run-1', at)
    down = true
    await clock.advance(leaseMs / 3 + 1)
    await lease[Symbol.asyncDispose]()
    expect(lines).toEqual([expect.stringContaining('was not renewed: down')])
  })
})
