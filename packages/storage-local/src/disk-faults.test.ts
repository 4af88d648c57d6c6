import { once } from 'node:events'
import { readdirSync, truncateSync, unlinkSync } from 'node:fs'
import type * as realFs from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createRunContext, MiB, readAll, streamOf } from '@holdfast/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { outputOf, putCommand, start } from '../test/child.js'
import { tree, useTempDirectories } from '../test/temp-directory.js'
import { local } from './local-storage.js'
import { isTempName } from './temp-name.js'

/** What the file system is made to do in a test; each is asked before the real thing. */
const disk = vi.hoisted(() => ({
  open: (path: string): string => path,
  call: (_method: string, _path: string): void => {},
  writev: (chunks: readonly Uint8Array[]): readonly Uint8Array[] => chunks,
}))

vi.mock('node:fs/promises', async (importActual) => {
  const actual = await importActual<typeof realFs>()
  const watched = (file: FileHandle, path: string): FileHandle =>
    new Proxy(file, {
      get(target, name: keyof FileHandle) {
        const value = target[name]
        if (typeof value !== 'function') return value
        return async (...given: unknown[]) => {
          disk.call(String(name), path)
          const [first, ...rest] = given
          const args = name === 'writev' ? [disk.writev(first as Uint8Array[]), ...rest] : given
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const failing =
    (name: string, original: (...args: never[]) => Promise<unknown>) =>
    async (...args: never[]) => {
      disk.call(name, String(args[0]))
      return original(...args)
    }
  return {
    ...actual,
    open: async (path: string, ...rest: [number, number]) =>
      watched(await actual.open(disk.open(path), ...(disk.open(path) === path ? rest : ([1] as [number]))), path),
    link: failing('link', actual.link),
    rename: failing('rename', actual.rename),
    mkdir: failing('mkdir', actual.mkdir),
    lstat: failing('lstat', actual.lstat),
    realpath: failing('realpath', actual.realpath),
    opendir: failing('opendir', actual.opendir),
    unlink: failing('unlink', actual.unlink),
    stat: failing('stat', actual.stat),
    statfs: failing('statfs', actual.statfs),
  }
})

afterEach(() => {
  disk.open = (path) => path
  disk.call = () => {}
  disk.writev = (chunks) => chunks
})

const ctx = createRunContext()
const directory = useTempDirectories()
const systemError = (code: string): Error => Object.assign(new Error(`${code}: made up by the test`), { code })

/** Makes the `nth` call of a method fail. Counts the calls. */
function failAt(method: string, nth: number, code: string, where: RegExp = /./): { calls: number } {
  const count = { calls: 0 }
  disk.call = (name, path) => {
    if (name === method && where.test(path) && ++count.calls === nth) throw systemError(code)
  }
  return count
}

const isTemp = /holdfast-tmp-/

async function* mebibytes(count: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < count; sent++) yield Buffer.alloc(MiB, sent)
}

describe('a full disk', () => {
  const full = { code: 'storage-full', retryable: false, hint: expect.stringMatching(/space/) }

  it('ends the put at whichever write, and leaves nothing', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('a', streamOf(Buffer.from('older')), {}, ctx)
    for (let nth = 1; nth <= 12; nth++) {
      failAt('writev', nth, 'ENOSPC', isTemp)
      await expect(storage.put('a', mebibytes(12), {}, ctx)).rejects.toMatchObject(full)
      expect(await tree(path)).toEqual(['a'])
    }
    disk.call = () => {}
    expect((await readAll(storage.get('a', undefined, ctx))).toString()).toBe('older')
  })

  it('as the kernel reports it', async () => {
    const path = await directory()
    disk.open = (name) => (isTemp.test(name) ? '/dev/full' : name)
    disk.call = (name) => {
      if (name === 'chmod') disk.open = (other) => other
    }
    const put = local({ path }).put('job/a', mebibytes(3), {}, ctx)
    await expect(put).rejects.toMatchObject({ ...full, message: expect.stringMatching(/job\/a .*ENOSPC/) })
    expect(await tree(path)).toEqual([])
  })

  it('on a file system of 4 MiB, or where none can be mounted under a limit of this size', async () => {
    const path = await directory()
    const command = putCommand(path, 'job/a', '6')
    const mounted = `mount -t tmpfs -o size=4m none '${path}' && "$@" && find '${path}' -type f -o -type d -mindepth 1`
    const mayMount = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-Urm']
    const canMount = (
      await outputOf([...mayMount, 'sh', '-c', `mount -t tmpfs none '${path}' 2>&1 && echo yes`])
    ).trim()
    const output =
      canMount === 'yes'
        ? await outputOf([...mayMount, 'sh', '-c', mounted, 'sh', ...command])
        : await outputOf(['sh', '-c', `trap '' XFSZ; ulimit -f 8192; exec "$@"`, 'sh', ...command])
    expect(output).toMatch(/"code":"storage-full".*Writing job\/a/)
    expect(output.trim().split('\n')).toHaveLength(1) // nothing was found on the small file system
    expect(await tree(path)).toEqual([])
  })

  it('or a limit on the size of files', async () => {
    const path = await directory()
    const limited = `trap '' XFSZ; ulimit -f 4096; exec "$@"`
    const output = await outputOf(['sh', '-c', limited, 'sh', ...putCommand(path, 'job/a', '6')])
    expect(output).toMatch(/"code":"storage-full".*EFBIG/)
    expect(await tree(path)).toEqual([])
  })
})

describe('an fsync that fails', () => {
  it('discards the file, and is not tried again', async () => {
    for (const ifAbsent of [true, false]) {
      const path = await directory()
      const count = failAt('sync', 1, 'EIO', isTemp)
      const put = local({ path }).put('job/a', mebibytes(2), { ifAbsent }, ctx)
      await expect(put).rejects.toMatchObject({ code: 'unavailable', retryable: false })
      expect(count.calls).toBe(1)
      expect(await tree(path)).toEqual([])
    }
  })

  it('in the background, likewise, although a later one would succeed', async () => {
    const path = await directory()
    const count = failAt('datasync', 1, 'EIO', isTemp)
    await expect(local({ path }).put('a', mebibytes(60), {}, ctx)).rejects.toMatchObject({ code: 'unavailable' })
    expect(count.calls).toBe(1)
    expect(await tree(path)).toEqual([])
  })

  it('of the directory takes the object back', async () => {
    for (const ifAbsent of [true, false]) {
      const path = await directory()
      failAt('sync', 1, 'EIO', /job$/)
      const put = local({ path }).put('job/a', mebibytes(1), { ifAbsent }, ctx)
      await expect(put).rejects.toMatchObject({ code: 'unavailable' })
      expect(await tree(path)).toEqual([])
    }
  })

  it('is forgiven where a file system cannot sync directories', async () => {
    const path = await directory()
    disk.call = (name, of) => {
      if (name === 'sync' && !isTemp.test(of)) throw systemError('EINVAL')
    }
    await local({ path }).put('job/a', mebibytes(1), {}, ctx)
    disk.call = () => {}
    expect(await tree(path)).toEqual(['job/', 'job/a'])
  })
})

describe('other faults of the disk', () => {
  it('a write that takes less than it was given is gone on with', async () => {
    const path = await directory()
    disk.writev = ([first = new Uint8Array()]) => [first.subarray(0, Math.ceil(first.byteLength / 3))]
    const pieces = [Buffer.from('abcdefgh'), Buffer.from('ij'), Buffer.from('klmno')]
    const storage = local({ path })
    expect((await storage.put('a', streamOf(...pieces), {}, ctx)).size).toBe(15)
    expect((await readAll(storage.get('a', undefined, ctx))).toString()).toBe('abcdefghijklmno')
  })

  it('a file that is shorter than what was written is not published', async () => {
    const path = await directory()
    const storage = local({ path })
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* mebibytes(2)
      disk.call = (name) => {
        if (name !== 'stat') return
        disk.call = () => {}
        const [temp = ''] = readdirSync(path)
        truncateSync(join(path, temp))
      }
    }
    await expect(storage.put('a', body(), {}, ctx)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await tree(path)).toEqual([])
  })

  for (const code of ['EPERM', 'ENOTSUP', 'EMLINK']) {
    it(`exclusive puts work where hard links do not (${code})`, async () => {
      const path = await directory()
      disk.call = (name) => {
        if (name === 'link') throw systemError(code)
      }
      const storage = local({ path })
      await storage.put('a', streamOf(Buffer.from('first')), { ifAbsent: true }, ctx)
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('second')
        await storage.put('b', streamOf(Buffer.from('faster')), {}, ctx)
      }
      await expect(storage.put('b', slow(), { ifAbsent: true }, ctx)).rejects.toMatchObject({ code: 'already-exists' })
      expect((await readAll(storage.get('a', undefined, ctx))).toString()).toBe('first')
      expect((await readAll(storage.get('b', undefined, ctx))).toString()).toBe('faster')
    })
  }

  const told: [string, string, string][] = [
    ['EACCES', 'storage-denied', 'or in the one above where it is still to be made'],
    ['EPERM', 'storage-denied', '0700'],
    ['EROFS', 'storage-denied', 'disk has errors'],
    ['EDQUOT', 'storage-full', 'quota'],
    ['EIO', 'unavailable', 'failing'],
  ]
  for (const [system, code, hint] of told) {
    it(`${system} is told as ${code}, wherever it comes up`, async () => {
      const path = await directory()
      const storage = local({ path })
      await storage.put('job/a', streamOf(Buffer.from('x')), {}, ctx)
      const error = { code, hint: expect.stringContaining(hint), message: expect.stringContaining(system) }
      const failing = (method: string, where: RegExp): void => void failAt(method, 1, system, where)

      failing('mkdir', /new/)
      await expect(storage.put('new/a', mebibytes(1), {}, ctx)).rejects.toMatchObject(error)
      failing('rename', isTemp)
      await expect(storage.put('job/b', mebibytes(1), {}, ctx)).rejects.toMatchObject(error)
      failing('lstat', /job.a/)
      await expect(storage.stat('job/a', ctx)).rejects.toMatchObject(error)
      failing('read', /job.a/)
      await expect(readAll(storage.get('job/a', undefined, ctx))).rejects.toMatchObject(error)
      failing('stat', /job.a/)
      await expect(readAll(storage.get('job/a', undefined, ctx))).rejects.toMatchObject(error)
      failing('unlink', /job.a/)
      await expect(storage.delete('job/a', ctx)).rejects.toMatchObject(error)
      failing('opendir', /job/)
      await expect(keys(storage.list('', ctx))).rejects.toMatchObject(error)
      failing('realpath', /job/)
      await expect(keys(storage.list('job/', ctx))).rejects.toMatchObject(error)
      failing('realpath', /./)
      await expect(storage.stat('job/a', ctx)).rejects.toMatchObject(error)
      failing('statfs', /./)
      await expect(storage.freeSpace?.(ctx)).rejects.toMatchObject(error)
      failing('stat', /./)
      await expect(local({ path }).stat('job/a', ctx)).rejects.toMatchObject(error)
      disk.call = () => {}
      expect(await tree(path)).toEqual(['job/', 'job/a'])
    })
  }

  it('what is not known is told with its code, and may be tried again', async () => {
    const path = await directory()
    for (const code of ['EMFILE', 'ESTALE']) {
      disk.open = () => {
        throw systemError(code)
      }
      const reading = readAll(local({ path }).get('a', undefined, ctx))
      await expect(reading).rejects.toMatchObject({
        code: 'unavailable',
        retryable: true,
        message: expect.stringContaining(code),
      })
    }
  })

  it('a file that somebody else deletes first is deleted', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('a', mebibytes(1), {}, ctx)
    disk.call = (name, of) => {
      if (name !== 'unlink') return
      disk.call = () => {}
      unlinkSync(of)
    }
    await storage.delete('a', ctx)
    expect(await tree(path)).toEqual([])
  })

  it('a directory that cannot be read is an error, except the lost+found of a volume', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('job/a', mebibytes(1), {}, ctx)
    await mkdir(join(path, 'lost+found'))
    disk.call = (name, of) => {
      if (name === 'opendir' && of.endsWith('lost+found')) throw systemError('EACCES')
    }
    expect(await keys(storage.list('', ctx))).toEqual(['job/a'])
  })

  it('a directory that disappears while it is listed is passed over', async () => {
    const path = await directory()
    const storage = local({ path })
    await storage.put('job/a', mebibytes(1), {}, ctx)
    failAt('opendir', 1, 'ENOENT', /job/)
    expect(await keys(storage.list('', ctx))).toEqual([])
  })
})

describe('a process that is killed in the middle of a put', () => {
  it('leaves a temp file that is not listed and can be swept, and nothing else', async () => {
    const path = await directory()
    const child = start(putCommand(path, 'job/2026/a', '3', 'wait'))
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')

    const storage = local({ path })
    const left = await readdir(join(path, 'job/2026'))
    expect(left.map(isTempName)).toEqual([true])
    expect(await keys(storage.list('', ctx))).toEqual([])
    expect(await storage.stat('job/2026/a', ctx)).toBeUndefined()
    expect(await storage.sweepUnfinished?.({ before: new Date(Date.now() + 1000), prefixes: ['job/'] }, ctx)).toBe(1)
    expect(await tree(path)).toEqual([])
  })
})

async function keys(objects: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of objects) found.push(key)
  return found
}
