import { beforeEach, describe, expect, it } from 'vitest'
import { content, jobOn, keysOn, run, withPut } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { manifestKey } from '../layout/object-names.js'
import { createRunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { copyBackup } from './copy-backup.js'

const ctx = createRunContext()
const unfenced = async (): Promise<void> => {}
let from: Storage
let to: Storage
let base: string
let key: string

beforeEach(async () => {
  from = memoryStorage({ name: 'from' })
  to = memoryStorage({ name: 'to' })
  const made = await run(jobOn([from]))
  base = made.base
  key = made.manifest.parts[0]?.key ?? ''
})

const bytesOf = (storage: Storage, at: string): Promise<Buffer> => readAll(storage.get(at, undefined, ctx))

describe('a copy', () => {
  it('is the same bytes, and nothing is written to what holds it already', async () => {
    await copyBackup(base, from, to, unfenced, ctx)
    expect(await keysOn(to)).toEqual(await keysOn(from))
    expect(await bytesOf(to, key)).toEqual(await bytesOf(from, key))
    const sealed = withPut(to, () => Promise.reject(new BackupError('read-only', { message: 'sealed' })))
    await copyBackup(base, from, sealed, unfenced, ctx)
  })

  it('under its own manifest gets back what is missing or has another size', async () => {
    await copyBackup(base, from, to, unfenced, ctx)
    for (const damage of [() => to.delete(key, ctx), () => to.put(key, streamOf(content.subarray(0, 9)), {}, ctx)]) {
      await damage()
      await copyBackup(base, from, to, unfenced, ctx)
      expect(await bytesOf(to, key)).toEqual(await bytesOf(from, key))
    }
  })

  it('never takes the place of another manifest', async () => {
    await to.put(manifestKey(base), streamOf(Buffer.from('another')), {}, ctx)
    await expect(copyBackup(base, from, to, unfenced, ctx)).rejects.toMatchObject({ code: 'already-exists' })
    expect(await keysOn(to)).toEqual([manifestKey(base)])
  })

  it('is made of what a killed run has left, where that alone is whole', async () => {
    await to.put(key, from.get(key, undefined, ctx), {}, ctx)
    const good = await bytesOf(from, key)
    for (const damage of [
      () => from.put(key, streamOf(content.subarray(0, 9)), {}, ctx),
      () => from.delete(key, ctx),
    ]) {
      await damage()
      await copyBackup(base, from, to, unfenced, ctx)
      expect([await keysOn(to), await bytesOf(to, key)]).toEqual([[key, manifestKey(base)], good])
      await to.delete(manifestKey(base), ctx)
    }
    const gone = new BackupError('unavailable', { message: 'the line is cut' })
    const away: Storage = {
      ...to,
      get: () => {
        throw gone
      },
    }
    await expect(
      copyBackup(
        base,
        from,
        { ...away, get: (at, ...rest) => (at === key ? away.get(at, ...rest) : to.get(at, ...rest)) },
        unfenced,
        ctx,
      ),
    ).rejects.toBe(gone)
  })

  it('becomes none where its lease is lost before the manifest', async () => {
    const lost = new BackupError('lease-lost', { message: 'another run has taken over' })
    await expect(copyBackup(base, from, to, () => Promise.reject(lost), ctx)).rejects.toBe(lost)
    expect(await keysOn(to)).toEqual([key])
  })

  it('of what is damaged where it lies is none', async () => {
    await from.put(key, streamOf(content.subarray(0, 9)), {}, ctx)
    await expect(copyBackup(base, from, to, unfenced, ctx)).rejects.toMatchObject({ code: 'corrupt' })
    expect(await keysOn(to)).toEqual([])
  })

  it.each([
    ['the same manifest', true],
    ['another manifest', false],
  ])('that meets %s at its end goes by what it says', async (_, same) => {
    const file = same ? await bytesOf(from, manifestKey(base)) : Buffer.from('another')
    const raced = withPut(to, async (at, body, options, given) => {
      if (at === manifestKey(base)) await to.put(at, streamOf(file), {}, given) // another process was first
      return to.put(at, body, options, given)
    })
    const copying = copyBackup(base, from, raced, unfenced, ctx)
    if (same) await copying
    else await expect(copying).rejects.toMatchObject({ code: 'already-exists' })
    expect(await bytesOf(to, manifestKey(base))).toEqual(file)
  })

  it('fails with what the target says', async () => {
    const failure = new BackupError('storage-denied', { message: 'not here' })
    const denied = withPut(to, (at, ...rest) =>
      at === manifestKey(base) ? Promise.reject(failure) : to.put(at, ...rest),
    )
    await expect(copyBackup(base, from, denied, unfenced, ctx)).rejects.toBe(failure)
    const get: Storage['get'] = () => {
      throw failure
    }
    await expect(copyBackup(base, from, { ...to, get }, unfenced, ctx)).rejects.toBe(failure)
  })
})
