import {
  lstat,
  mkdir,
  mkdtemp,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, MiB, readAll, type Storage, streamOf } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outputOf } from '../test/child.js'
import { tree, useTempDirectories } from '../test/temp-directory.js'
import { local } from './local-storage.js'
import { newTempName } from './temp-name.js'

const ctx = createRunContext()
const text = (value: string): AsyncIterable<Uint8Array> => streamOf(Buffer.from(value))
const read = async (storage: Storage, key: string): Promise<string> =>
  (await readAll(storage.get(key, undefined, ctx))).toString()

async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix, ctx)) keys.push(key)
  return keys.sort()
}

describe('local keeps the contract', () => {
  let path: string
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'holdfast-local-'))
  })
  afterAll(() => rm(path, { recursive: true }))

  for (const { name, run } of storageContract.filter(({ heavy }) => !heavy)) {
    it(name, () => run({ storage: local({ path }), prefix: storageCasePrefix(), ctx }))
  }

  it('and leaves an empty directory', async () => {
    expect(await tree(path)).toEqual([])
  })
})

const directory = useTempDirectories()

describe('modes', () => {
  for (const umask of [0o000, 0o022, 0o077, 0o277]) {
    it(`directories are 0700 and files 0600 under umask ${umask.toString(8)}`, async () => {
      const path = await directory()
      const before = process.umask(umask)
      try {
        const storage = local({ path: join(path, 'made', 'here') })
        await storage.put('job/2026/data', text('x'), {}, ctx)
        await storage.put('job/2026/manifest', text('x'), { ifAbsent: true }, ctx)
      } finally {
        process.umask(before)
      }
      const found = await tree(path)
      expect(found).toHaveLength(6)
      for (const name of found) {
        const { mode } = await stat(join(path, name))
        expect(`${name} ${(mode & 0o7777).toString(8)}`).toBe(`${name} ${name.endsWith('/') ? 700 : 600}`)
      }
    })
  }
})

describe('the root', () => {
  it('is made for the first object, and shown as an absolute path', async () => {
    const path = join(await directory(), 'a', 'b')
    const storage = local({ path })
    await storage.put('a', text('x'), {}, ctx)
    expect((await stat(path)).isDirectory()).toBe(true)
    expect(storage.display).toBe(path)
    expect(local({ path: 'relative' }).display).toBe(join(process.cwd(), 'relative'))
  })

  it('below a place where none can be made is refused, not tried for ever', { timeout: 5_000 }, async () => {
    const storage = local({ path: '/proc/holdfast/backups' })
    await expect(storage.put('a', streamOf(Buffer.from('x')), {}, ctx)).rejects.toMatchObject({ name: 'BackupError' })
  })

  it('is not made where create is false', async () => {
    const path = join(await directory(), 'absent')
    const storage = local({ path, create: false })
    const refused = { code: 'storage-config-invalid', hint: expect.stringMatching(/Mount/) }
    await expect(storage.put('a', text('x'), {}, ctx)).rejects.toMatchObject(refused)
    await expect(keysOf(storage)).rejects.toMatchObject(refused)
    await expect(storage.stat('a', ctx)).rejects.toMatchObject(refused)
    await mkdir(path)
    await storage.put('a', text('x'), {}, ctx)
  })

  it('is empty, and not made, for what only reads', async () => {
    const above = await directory()
    const storage = local({ path: join(above, 'a', 'b') })
    expect(await keysOf(storage)).toEqual([])
    expect(await storage.stat('a', ctx)).toBeUndefined()
    await expect(read(storage, 'a')).rejects.toMatchObject({ code: 'not-found' })
    await storage.delete('a', ctx)
    expect(await storage.sweepUnfinished?.({ before: new Date(), prefixes: ['a/'] }, ctx)).toBe(0)
    const [free = 0, freeAbove = 0] = [await storage.freeSpace?.(ctx), await local({ path: above }).freeSpace?.(ctx)]
    expect(free / freeAbove).toBeCloseTo(1, 1) // others write to the disk meanwhile
    await expect(storage.put('../a', text('x'), {}, ctx)).rejects.toMatchObject({ code: 'invalid-key' })
    expect(await tree(above)).toEqual([])
  })

  it('that vanishes once it was read is not made again', async () => {
    const path = join(await directory(), 'volume')
    await mkdir(path)
    const storage = local({ path })
    expect(await keysOf(storage)).toEqual([])
    await rename(path, `${path}-unmounted`)
    await expect(storage.put('b', text('x'), {}, ctx)).rejects.toMatchObject({ code: 'storage-config-invalid' })
  })

  it('that vanishes is an error, and not an empty storage', async () => {
    const path = join(await directory(), 'volume')
    const storage = local({ path })
    await storage.put('a', text('x'), {}, ctx)
    await rename(path, `${path}-unmounted`)
    await expect(keysOf(storage)).rejects.toMatchObject({ code: 'storage-config-invalid' })
    await expect(storage.put('b', text('x'), {}, ctx)).rejects.toMatchObject({ code: 'storage-config-invalid' })
  })

  it('must be a directory', async () => {
    const path = join(await directory(), 'file')
    await writeFile(path, '')
    for (const odd of [path, join(path, 'below')]) {
      await expect(keysOf(local({ path: odd }))).rejects.toMatchObject({ code: 'storage-config-invalid' })
    }
  })

  it('may be a symbolic link', async () => {
    const path = await directory()
    await mkdir(join(path, 'real'))
    await symlink('real', join(path, 'link'))
    const storage = local({ path: join(path, 'link') })
    await storage.put('job/a', text('x'), {}, ctx)
    expect(await keysOf(storage)).toEqual(['job/a'])
    expect(await read(local({ path: join(path, 'real') }), 'job/a')).toBe('x')
  })

  it('is tried again after it could not be made', async () => {
    const path = join(await directory(), 'dangling')
    await symlink(join(path, 'nowhere'), path)
    const storage = local({ path })
    await expect(keysOf(storage)).rejects.toMatchObject({ name: 'BackupError' })
    await rm(path)
    expect(await keysOf(storage)).toEqual([])
  })
})

describe('containment', () => {
  it('nothing goes through a symbolic link, wherever it leads', async () => {
    const path = await directory()
    const outside = await directory()
    await writeFile(join(outside, 'secret'), 'secret')
    await mkdir(join(path, 'inside'))
    await writeFile(join(path, 'inside', 'secret'), 'secret')
    await symlink(outside, join(path, 'out'))
    await symlink('inside', join(path, 'in'))
    const storage = local({ path })
    for (const link of ['out', 'in']) {
      const refused = { code: 'storage-denied', message: expect.stringMatching(/symbolic link/) }
      await expect(storage.put(`${link}/new`, text('x'), {}, ctx)).rejects.toMatchObject(refused)
      await expect(storage.put(`${link}/deep/new`, text('x'), {}, ctx)).rejects.toMatchObject(refused)
      await expect(read(storage, `${link}/secret`)).rejects.toMatchObject(refused)
      await expect(storage.stat(`${link}/secret`, ctx)).rejects.toMatchObject(refused)
      await expect(storage.delete(`${link}/secret`, ctx)).rejects.toMatchObject(refused)
      expect(await keysOf(storage, `${link}/`)).toEqual([])
    }
    expect(await keysOf(storage)).toEqual(['inside/secret'])
    expect(await tree(outside)).toEqual(['secret'])
  })

  it('a link in the place of an object is no object: not read, listed or deleted', async () => {
    const path = await directory()
    const outside = join(await directory(), 'secret')
    await writeFile(outside, 'secret')
    await symlink(outside, join(path, 'link'))
    const storage = local({ path })
    await expect(read(storage, 'link')).rejects.toMatchObject({ code: 'not-found' })
    expect(await storage.stat('link', ctx)).toBeUndefined()
    await storage.delete('link', ctx)
    expect((await lstat(join(path, 'link'))).isSymbolicLink()).toBe(true)
    await expect(storage.put('link', text('x'), { ifAbsent: true }, ctx)).rejects.toMatchObject({
      code: 'already-exists',
    })
    await storage.put('link', text('mine'), {}, ctx)
    expect(await read(storage, 'link')).toBe('mine')
    expect(await readAll(local({ path: join(outside, '..') }).get('secret', undefined, ctx))).toEqual(
      Buffer.from('secret'),
    )
  })

  it('an object is not stored below another one', async () => {
    const storage = local({ path: await directory() })
    await storage.put('a', text('x'), {}, ctx)
    for (const key of ['a/b', 'a/b/c']) {
      await expect(storage.put(key, text('y'), {}, ctx)).rejects.toMatchObject({ code: 'invalid-key' })
      expect(await storage.stat(key, ctx)).toBeUndefined()
    }
    await storage.put('dir/b', text('x'), {}, ctx)
    await expect(storage.put('dir', text('y'), {}, ctx)).rejects.toMatchObject({ name: 'BackupError' })
    expect(await keysOf(storage)).toEqual(['a', 'dir/b'])
  })

  it('no key looks like an unfinished file', async () => {
    const storage = local({ path: await directory() })
    const key = `job/${newTempName()}`
    await expect(storage.put(key, text('x'), {}, ctx)).rejects.toMatchObject({ code: 'invalid-key' })
    await expect(storage.stat(key, ctx)).rejects.toMatchObject({ code: 'invalid-key' })
  })
})

describe('list', () => {
  it('passes over what is not an object', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('job/a', text('x'), {}, ctx)
    await writeFile(join(path, 'job', 'foreign'), 'kept by somebody else')
    await writeFile(join(path, 'job', 'back\\slash'), '')
    await writeFile(join(path, newTempName()), '')
    await mkdir(join(path, 'empty'))
    await outputOf(['mkfifo', join(path, 'job', 'fifo')])
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(join(path, 'job', 'socket'), resolve))
    try {
      expect(await keysOf(storage)).toEqual(['job/a', 'job/foreign'])
      for (const key of ['job/fifo', 'job/socket', 'empty']) {
        await expect(read(storage, key)).rejects.toMatchObject({ code: 'not-found' })
        expect(await storage.stat(key, ctx)).toBeUndefined()
        await storage.delete(key, ctx)
        await lstat(join(path, key))
      }
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })
})

describe('get', () => {
  it('throws when the file becomes shorter while it is read', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('a', streamOf(Buffer.alloc(4 * MiB)), {}, ctx)
    const shrinking = (async () => {
      for await (const _ of storage.get('a', undefined, ctx)) await truncate(join(path, 'a'), 2 * MiB + 5)
    })()
    await expect(shrinking).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(/at byte 2097157/),
    })
  })
})

describe('delete', () => {
  it('removes the directories that it empties, and the root never', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('job/2026/01/a', text('x'), {}, ctx)
    await storage.put('job/2026/02/b', text('x'), {}, ctx)
    await storage.delete('job/2026/01/a', ctx)
    expect(await tree(path)).toEqual(['job/', 'job/2026/', 'job/2026/02/', 'job/2026/02/b'])
    await storage.delete('job/2026/02/b', ctx)
    expect(await tree(path)).toEqual([])
    expect((await stat(path)).isDirectory()).toBe(true)
  })

  it('does not take the directory away from puts that run at the same time', async () => {
    const path = await directory()
    const storages = [local({ path }), local({ path })]
    const rounds = Array.from({ length: 150 }, async (_, round) => {
      const storage = storages[round % 2] as Storage
      await storage.put(`job/2026/01/${round}`, text('x'), { ifAbsent: round % 3 === 0 }, ctx)
      await storage.delete(`job/2026/01/${round}`, ctx)
    })
    await Promise.all(rounds)
    expect(await tree(path)).toEqual([])
  })

  it('a put that fails leaves no directory behind', async () => {
    const path = await directory()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw new Error('cut')
    }
    await expect(local({ path }).put('job/2026/a', broken(), {}, ctx)).rejects.toThrow('cut')
    expect(await tree(path)).toEqual([])
  })
})

describe('space', () => {
  it('is what the file system has for this user', async () => {
    const free = await local({ path: await directory() }).freeSpace?.(ctx)
    expect(free).toBeGreaterThan(MiB)
  })
})

describe('sweepUnfinished', () => {
  const old = new Date('2026-01-01T00:00:00Z')
  const cut = new Date('2026-01-02T00:00:00Z')
  const prefixes = ['']

  it('removes temp files that are old enough, and nothing else', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('job/a', text('x'), {}, ctx)
    await utimes(join(path, 'job', 'a'), old, old)
    const stale = [join(path, newTempName()), join(path, 'job', newTempName()), join(path, 'gone', newTempName())]
    const kept = [join(path, 'job', newTempName()), join(path, '.holdfast-tmp-not-ours'), join(path, 'foreign.tmp')]
    await mkdir(join(path, 'gone'))
    for (const file of [...stale, ...kept]) await writeFile(file, '')
    for (const file of [...stale, ...kept.slice(1)]) await utimes(file, old, old)
    expect(await storage.sweepUnfinished?.({ before: cut, prefixes }, ctx)).toBe(3)
    const left = await tree(path)
    expect(left).toHaveLength(5)
    expect(left).not.toContain('gone/')
    for (const file of kept) expect(left).toContain(file.slice(path.length + 1))
  })

  it('leaves temp files alone that are not in a directory under one of the prefixes', async () => {
    const path = await directory()
    const storage = local({ path })
    const stale = [join(path, 'shop/2026', newTempName()), join(path, 'shop', newTempName())]
    const others = [join(path, newTempName()), join(path, 'shop-eu', newTempName()), join(path, 'blog', newTempName())]
    for (const folder of ['shop/2026', 'shop-eu', 'blog']) await mkdir(join(path, folder), { recursive: true })
    for (const file of [...stale, ...others]) {
      await writeFile(file, '')
      await utimes(file, old, old)
    }
    expect(await storage.sweepUnfinished?.({ before: cut, prefixes: [] }, ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.({ before: cut, prefixes: ['shop/.holdfast', 'none/'] }, ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.({ before: cut, prefixes: ['shop/', 'shop/2026/'] }, ctx)).toBe(2)
    const left = await tree(path)
    for (const file of others) expect(left).toContain(file.slice(path.length + 1))
  })

  it('leaves a put alone that waits for its body', async () => {
    const path = await directory()
    const storage = local({ path })
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      for (const name of await tree(path)) await utimes(join(path, name), old, old)
      expect(await storage.sweepUnfinished?.({ before: cut, prefixes }, ctx)).toBe(0)
      expect(await local({ path }).sweepUnfinished?.({ before: new Date(0), prefixes }, ctx)).toBe(0)
    }
    await storage.put('a', slow(), {}, ctx)
    expect(await read(storage, 'a')).toBe('x')
  })

  it('ends when it is aborted', async () => {
    const path = await directory()
    await writeFile(join(path, newTempName()), '')
    const aborted = createRunContext({ signal: AbortSignal.abort('enough') })
    await expect(local({ path }).sweepUnfinished?.({ before: new Date(), prefixes }, aborted)).rejects.toBe('enough')
    expect(await tree(path)).toHaveLength(1)
    expect(await realpath(path)).toBe(path)
  })
})
