import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BackupError,
  type ByteStream,
  createRunContext,
  MiB,
  readAll,
  type Storage,
  streamOf,
} from '@holdfast/core'
import { startTcpProxy, type TcpProxy } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { useSshd } from '../test/sshd.js'
import { type SftpOptions, sftp } from './index.js'

const ctx = createRunContext()
const server = useSshd()
let proxy: TcpProxy
beforeAll(async () => {
  proxy = await startTcpProxy(server.sshd.port)
})
afterAll(async () => {
  await proxy?.stop()
})
const opened: Storage[] = []
afterEach(async () => {
  proxy.freeze(false)
  for (const storage of opened.splice(0)) await storage.close?.()
})

function open(more: Partial<SftpOptions> = {}): Storage {
  const storage = sftp(server.options(more))
  opened.push(storage)
  return storage
}

const throughProxy = (more: Partial<SftpOptions> = {}): Storage => open({ port: proxy.port, ...more })

async function* blocks(count: number, size: number = MiB): ByteStream {
  for (let index = 0; index < count; index++) yield Buffer.alloc(size, index)
}

async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix, ctx)) keys.push(key)
  return keys
}

const failure = (work: Promise<unknown>): Promise<BackupError> =>
  work.then(
    () => expect.fail('it was to fail'),
    (error: BackupError) => error,
  )

/** All names below a directory of the server, temp files among them. */
const tree = (name: string): string[] => readdirSync(join(server.sshd.directory, name), { recursive: true }).map(String)

describe('a connection that breaks', () => {
  it('in the middle of a put leaves nothing, and the next operation makes a new one', async () => {
    const storage = throughProxy()
    await storage.put('cut/older', streamOf(Buffer.from('older')), {}, ctx)
    const cut = proxy.cutAfter(5 * MiB)
    const error = await failure(storage.put('cut/newer', blocks(64), {}, ctx))
    await cut
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await keysOf(storage, 'cut/')).toEqual(['cut/older'])
    expect(tree('cut')).toEqual(['older'])
    await storage.put('cut/newer', blocks(2), {}, ctx)
    expect((await storage.stat('cut/newer', ctx))?.size).toBe(2 * MiB)
  })

  it('in the middle of a get throws, and does not end', async () => {
    await open().put('get/object', blocks(16), {}, ctx)
    const read = async (): Promise<void> => {
      let bytes = 0
      for await (const chunk of throughProxy().get('get/object', undefined, ctx)) {
        if (bytes === 0) proxy.cut()
        bytes += chunk.byteLength
      }
    }
    expect(await failure(read())).toMatchObject({ code: 'unavailable', retryable: true })
  })

  it('while it rests is not noticed', async () => {
    const storage = throughProxy()
    await storage.put('rest/a', blocks(1), {}, ctx)
    proxy.cut()
    // Until the end of the connection has come, a question is lost with it.
    await expect
      .poll(() => storage.stat('rest/a', ctx).catch((error: BackupError) => error), { timeout: 20_000 })
      .toMatchObject({ size: MiB })
  })

  it('and is only silent is given up after the idle time', async () => {
    const storage = throughProxy({ idleTimeout: 300 })
    await storage.put('idle/a', blocks(1), {}, ctx)
    proxy.freeze(true)
    const error = await failure(storage.stat('idle/a', ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(error.message).toContain('no answer for 0.3 s')
  })

  it('before the sign-in is over is given up after the time for it', async () => {
    proxy.freeze(true)
    const error = await failure(throughProxy({ connectTimeout: 300 }).stat('x', ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(error.message).toContain('no answer in time')
  })

  it('an abort does not wait for a server that is silent', async () => {
    const storage = throughProxy()
    await storage.put('abort/a', blocks(1), {}, ctx)
    proxy.freeze(true)
    const controller = new AbortController()
    const reason = new Error('enough')
    const looking = storage.stat('abort/a', createRunContext({ signal: controller.signal }))
    setImmediate(() => controller.abort(reason))
    await expect(looking).rejects.toBe(reason)
  })
})

describe('what lies on the server', () => {
  it('is private', async () => {
    await open({ path: `${server.sshd.directory}/private/root` }).put('job/2026/a', blocks(1), {}, ctx)
    const mode = (path: string): string => (statSync(join(server.sshd.directory, path)).mode & 0o777).toString(8)
    const directories = ['private', 'private/root', 'private/root/job', 'private/root/job/2026']
    expect(directories.map(mode)).toEqual(['700', '700', '700', '700'])
    expect(mode('private/root/job/2026/a')).toBe('600')
  })

  it('behind a link is not read, listed, written or deleted', async () => {
    const root = join(server.sshd.directory, 'linked')
    const outside = join(server.sshd.directory, 'outside')
    for (const path of [root, outside]) mkdirSync(path)
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(outside, join(root, 'link'))
    symlinkSync(join(outside, 'secret'), join(root, 'file'))
    const storage = open({ path: root })
    expect(await keysOf(storage, '')).toEqual([])
    expect(await keysOf(storage, 'link/')).toEqual([])
    expect(await failure(readAll(storage.get('file', undefined, ctx)))).toMatchObject({ code: 'not-found' })
    expect(await failure(readAll(storage.get('link/secret', undefined, ctx)))).toMatchObject({ code: 'storage-denied' })
    expect(await failure(storage.put('link/new', blocks(1), {}, ctx))).toMatchObject({ code: 'storage-denied' })
    expect(await failure(storage.delete('link/secret', ctx))).toMatchObject({ code: 'storage-denied' })
    expect(readdirSync(outside)).toEqual(['secret'])
  })

  it('in temp files of others is swept once it is old, and not before', async () => {
    const storage = open()
    await storage.put('sweep/job/a', blocks(1), {}, ctx)
    const temp = join(server.sshd.directory, 'sweep/job', `.holdfast-tmp-${'0'.repeat(24)}`)
    writeFileSync(temp, 'unfinished')
    writeFileSync(`${temp}-foreign`, 'not ours')
    const sweep = (before: number, prefix: string): Promise<number> | undefined =>
      storage.sweepUnfinished?.({ before: new Date(before), prefixes: [prefix] }, ctx)
    const soon = Date.now() + 60_000
    expect(await sweep(Date.now() - 60_000, 'sweep/')).toBe(0)
    expect(await sweep(soon, 'other/')).toBe(0)
    expect(await sweep(soon, 'sweep/')).toBe(1)
    expect(readdirSync(join(server.sshd.directory, 'sweep/job'))).toHaveLength(2)
  })

  it('is missed: a root that is gone throws, and looks never like an empty list', async () => {
    expect(await failure(keysOf(open({ path: `${server.sshd.directory}/none`, create: false }), ''))).toMatchObject({
      code: 'storage-config-invalid',
    })
    const file = join(server.sshd.directory, 'a-file')
    writeFileSync(file, '')
    expect(await failure(keysOf(open({ path: file }), ''))).toMatchObject({ code: 'storage-config-invalid' })
  })

  it.runIf(process.platform === 'linux')('has no room left: storage-full, and nothing stays', async () => {
    const full = join(server.sshd.directory, 'full')
    mkdirSync(full)
    // Only root can mount; who is not sees the error that the server gives for a directory that cannot be written.
    if (process.getuid?.() !== 0) {
      chmodSync(full, 0o500)
      expect(await failure(open({ path: full }).put('a', blocks(1), {}, ctx))).toMatchObject({ code: 'storage-denied' })
      return
    }
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', full])
    try {
      const storage = open({ path: full })
      expect(await storage.freeSpace?.(ctx)).toBeLessThanOrEqual(4 * MiB)
      const error = await failure(storage.put('job/big', blocks(16), {}, ctx))
      expect(error).toMatchObject({ code: 'storage-full', retryable: false })
      expect(readdirSync(full)).toEqual([])
      await storage.put('job/small', blocks(1), {}, ctx)
      expect(await keysOf(storage, '')).toEqual(['job/small'])
      await storage.close?.()
    } finally {
      execFileSync('umount', ['-l', full])
    }
  })
})

describe('a long body', () => {
  it('of 100 MiB comes back whole, and memory stays flat', async () => {
    const storage = open()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void // what is garbage already does not count
    const most = { bytes: 0 }
    const measured = async function* (stream: ByteStream): ByteStream {
      collect()
      const start = process.memoryUsage().arrayBuffers
      let chunks = 0
      for await (const chunk of stream) {
        if (chunks++ % 64 === 0) collect()
        if (chunks % 64 === 1) most.bytes = Math.max(most.bytes, process.memoryUsage().arrayBuffers - start)
        yield chunk
      }
    }
    expect((await storage.put('long', measured(blocks(100)), {}, ctx)).size).toBe(100 * MiB)
    let read = 0
    for await (const chunk of measured(storage.get('long', undefined, ctx))) read += chunk.byteLength
    expect(read).toBe(100 * MiB)
    expect(most.bytes).toBeLessThan(64 * MiB)
  })
})
