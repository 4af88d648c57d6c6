import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackupError, createRunContext, MiB, readAll, type Storage, streamOf } from '@holdfast/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type TestServer, useSshd } from '../test/sshd.js'
import { type SftpOptions, sftp } from './index.js'

const ctx = createRunContext()
const server = useSshd()
const opened: Storage[] = []
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close?.()
})

function open(more: Partial<SftpOptions> = {}, of: TestServer = server): Storage {
  const storage = sftp(of.options(more))
  opened.push(storage)
  return storage
}

const failure = (work: Promise<unknown>): Promise<BackupError> =>
  work.then(
    () => expect.fail('it was to fail'),
    (error: BackupError) => error,
  )

const write = (storage: Storage, key: string, bytes: Buffer = Buffer.from('text')): Promise<unknown> =>
  storage.put(key, streamOf(bytes), {}, ctx)

async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix, ctx)) keys.push(key)
  return keys.sort()
}

const at = (name: string): string => join(server.sshd.directory, name)

describe('the directory of a storage', () => {
  it('may be a link to one, whose files then stand where it leads', async () => {
    mkdirSync(at('real'))
    symlinkSync(at('real'), at('link'))
    const storage = open({ path: at('link') })
    await write(storage, 'job/a')
    expect(await keysOf(storage)).toEqual(['job/a'])
    expect(readdirSync(at('real/job'))).toEqual(['a'])
  })

  it('is refused where it is a link to nothing or to a file', async () => {
    symlinkSync(at('nowhere'), at('dangling'))
    writeFileSync(at('file'), '')
    symlinkSync(at('file'), at('to-file'))
    for (const path of ['dangling', 'to-file', 'file']) {
      const error = await failure(keysOf(open({ path: at(path) })))
      expect(error).toMatchObject({ code: 'storage-config-invalid', message: expect.stringMatching(/not a directory/) })
    }
  })

  it('begins at the home directory where it is relative', async () => {
    const error = await failure(keysOf(open({ path: 'holdfast-test-not-there', create: false })))
    expect(error).toMatchObject({ code: 'storage-config-invalid' })
    expect(error.message).toContain('/~/holdfast-test-not-there does not exist')
  })

  it('that goes while it is in use is missed by the next list', async () => {
    const storage = open({ path: at('goes') })
    await write(storage, 'a')
    rmSync(at('goes'), { recursive: true })
    expect(await failure(keysOf(storage))).toMatchObject({
      code: 'storage-config-invalid',
      message: expect.stringMatching(/is gone/),
    })
    expect(await storage.stat('a', ctx)).toBeUndefined()
  })
})

describe('what has the name of an object', () => {
  it('and is a directory, or a file where a directory is needed, is left alone', async () => {
    const storage = open({ path: at('names') })
    await write(storage, 'directory/object')
    await write(storage, 'object')
    expect(await failure(write(storage, 'directory'))).toMatchObject({ code: 'invalid-key' })
    expect(await failure(write(storage, 'object/below'))).toMatchObject({ code: 'invalid-key' })
    expect(await failure(readAll(storage.get('directory', undefined, ctx)))).toMatchObject({ code: 'not-found' })
    expect(await storage.stat('directory', ctx)).toBeUndefined()
    await storage.delete('directory', ctx)
    expect(await keysOf(storage)).toEqual(['directory/object', 'object'])
    expect(readdirSync(at('names')).sort()).toEqual(['directory', 'object'])
  })

  it('and cannot be a key is not listed', async () => {
    const storage = open({ path: at('foreign') })
    await write(storage, 'object')
    for (const name of ['back\\slash', 'line\nbreak', 'x'.repeat(230)]) writeFileSync(at(`foreign/${name}`), '')
    expect(await keysOf(storage)).toEqual(['object'])
  })

  it('is found by no prefix that leaves the directory', async () => {
    const storage = open({ path: at('prefixes') })
    await write(storage, 'job/object')
    for (const prefix of ['/', '/job', '../', 'job//', './', 'job/../', 'none/', 'job/object/']) {
      expect(await keysOf(storage, prefix), prefix).toEqual([])
    }
    for (const prefix of ['', 'j', 'job/', 'job/ob']) expect(await keysOf(storage, prefix)).toEqual(['job/object'])
  })

  it('and is cut while it is read throws, and does not end', async () => {
    const storage = open({ path: at('cut') })
    await write(storage, 'object', Buffer.alloc(16 * MiB, 'x'))
    const read = async (): Promise<void> => {
      for await (const _ of storage.get('object', undefined, ctx)) truncateSync(at('cut/object'), MiB)
    }
    expect(await failure(read())).toMatchObject({ code: 'corrupt', message: expect.stringMatching(/became shorter/) })
  })
})

describe('a server that only lets read', () => {
  const readOnly = useSshd({ sftpArguments: ['-R'] })

  it('says storage-denied to a put, a delete and a sweep, and is read', async () => {
    const { directory } = readOnly.sshd
    mkdirSync(join(directory, 'job'))
    writeFileSync(join(directory, 'job/a'), 'text')
    writeFileSync(join(directory, 'job', `.holdfast-tmp-${'0'.repeat(24)}`), '')
    const storage = open({}, readOnly)
    const which = { before: new Date(Date.now() + 60_000), prefixes: ['', 'job/'] }
    for (const work of [
      write(storage, 'job/b'),
      write(storage, 'new/b'),
      storage.delete('job/a', ctx),
      storage.sweepUnfinished?.(which, ctx) ?? Promise.resolve(),
    ]) {
      expect(await failure(work)).toMatchObject({ code: 'storage-denied', hint: expect.stringMatching(/mode 0700/) })
    }
    expect((await readAll(storage.get('job/a', undefined, ctx))).toString()).toBe('text')
    expect(await keysOf(storage)).toEqual(['job/a'])
  })
})

describe('a server that does not tell its free space', () => {
  const silent = useSshd({ sftpArguments: ['-P', 'statvfs'] })

  it('has none to tell, and says of a full disk what it can', async () => {
    const full = join(silent.sshd.directory, 'full')
    mkdirSync(full)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', full])
    try {
      const storage = open({ path: full }, silent)
      expect(await storage.freeSpace?.(ctx)).toBeUndefined()
      const error = await failure(write(storage, 'job/big', Buffer.alloc(4 * MiB)))
      expect(error).toMatchObject({ code: 'unavailable', hint: expect.stringMatching(/the disk, the quota/) })
      expect(readdirSync(full)).toEqual([])
      await storage.close?.()
    } finally {
      execFileSync('umount', ['-l', full])
    }
  })
})

describe('a server that has no method in common with us', () => {
  const old = useSshd({ settings: ['Ciphers 3des-cbc'] })

  it('is told from one that does not answer', async () => {
    const error = await failure(open({}, old).stat('a', ctx))
    expect(error).toMatchObject({ code: 'storage-config-invalid', retryable: false, hint: 'Update the SSH server.' })
    expect(error.message).toContain('no method in common')
    const nowhere = await failure(open({ host: 'nowhere.invalid', connectTimeout: 10_000 }).stat('a', ctx))
    expect(nowhere).toMatchObject({ code: 'unavailable', retryable: true })
  })
})

describe('a server without SFTP', () => {
  const shell = useSshd({ sftpArguments: ['-Z'] }) // which sftp-server does not know: it ends at once

  it('is unavailable', async () => {
    expect(await failure(open({}, shell).stat('a', ctx))).toMatchObject({ name: 'BackupError' })
  })
})

describe('two puts under one key', () => {
  it('of which one must be the first: the other is refused, whoever it is', async () => {
    const [one, other] = [open(), open()]
    for (let round = 0; round < 10; round++) {
      const put = (storage: Storage, text: string): Promise<unknown> =>
        storage.put(`race/${round}`, streamOf(Buffer.from(text)), { ifAbsent: true }, ctx)
      const outcomes = await Promise.allSettled([put(one, 'one'), put(other, 'other')])
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
      expect(refused).toMatchObject([{ reason: { code: 'already-exists' } }])
    }
    expect(statSync(at('race')).mode & 0o777).toBe(0o700)
    expect(readdirSync(at('race'))).toHaveLength(10)
  })
})
